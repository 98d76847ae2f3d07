// What people do with the AWS SDK for JavaScript v3:  node uses.js USE [ARGUMENT…]
//
// Keys, region and endpoint come from the environment or a profile, as in any program of theirs.  Prints one line of JSON:
// {"done": …}, or {"refused": …} with what the SDK's error says of itself.

import {
  IAMClient,
  IAMServiceException,
  InvalidAuthenticationCodeException,
  ListUsersCommand,
  ResyncMFADeviceCommand,
  paginateListMFADevices,
} from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, GetSessionTokenCommand, STSClient, STSServiceException } from "@aws-sdk/client-sts";
import { fromIni, fromTemporaryCredentials } from "@aws-sdk/credential-providers";

const uses = {
  async "list-mfa-devices"(UserName) {
    const devices = [];
    for await (const page of paginateListMFADevices({ client: new IAMClient(), pageSize: 1 }, { UserName })) {
      devices.push(...page.MFADevices);
    }
    return devices;
  },

  async "resync-mfa-device"(UserName, SerialNumber, AuthenticationCode1, AuthenticationCode2) {
    const input = { UserName, SerialNumber, AuthenticationCode1, AuthenticationCode2 };
    return said(await new IAMClient().send(new ResyncMFADeviceCommand(input)));
  },

  async "get-session-token"(SerialNumber, TokenCode) {
    return said(await new STSClient().send(new GetSessionTokenCommand({ SerialNumber, TokenCode })));
  },

  "get-caller-identity": () => identity(new STSClient()),

  "list-users": () => firstUsers(new IAMClient()),

  // The SDK asks for a code itself when the role's credentials are first needed; both clients then share them.
  async "assume-role"(RoleArn, SerialNumber, code) {
    const assumed = fromTemporaryCredentials({
      params: { RoleArn, RoleSessionName: "from-javascript", SerialNumber },
      mfaCodeProvider: readsOut(code, SerialNumber),
    });
    const credentials = await assumed();
    return { identity: await identity(new STSClient({ credentials })), users: await firstUsers(new IAMClient({ credentials })) };
  },

  async "assume-role-of-profile"(profile, SerialNumber, code) {
    const credentials = fromIni({ profile, mfaCodeProvider: readsOut(code, SerialNumber) });
    return identity(new STSClient({ credentials }));
  },
};

// A person who reads out this code, for that device only; they have no other for a second time.
function readsOut(code, expected) {
  return async (serialNumber) => {
    if (serialNumber !== expected) throw new Error(`Asked for a code of ${serialNumber}`);
    return code;
  };
}

async function identity(sts) {
  return said(await sts.send(new GetCallerIdentityCommand()));
}

async function firstUsers(iam) {
  return said(await iam.send(new ListUsersCommand({ MaxItems: 1 }))).Users;
}

function said({ $metadata, ...output }) {
  return output;
}

function refusal(error) {
  return {
    name: error.name,
    message: error.message,
    status: error.$metadata?.httpStatusCode,
    fault: error.$fault,
    isError: error instanceof Error,
    ofService: error instanceof IAMServiceException || error instanceof STSServiceException,
    isInvalidAuthenticationCode: error instanceof InvalidAuthenticationCodeException,
  };
}

const [use, ...rest] = process.argv.slice(2);
let answer;
try {
  answer = { done: await uses[use](...rest) };
} catch (error) {
  answer = { refused: refusal(error) };
}
console.log(JSON.stringify(answer));
