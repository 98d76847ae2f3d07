"""Requests that are signed with temporary or long-term keys, and roles to assume, in a composed service."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from instep.domain.identity import Principal
from instep.domain.sigv4 import HTTPRequest
from instep.services.gate import Request
from instep.services.operation import SERVICES
from tests.support.house import ACCOUNT, House

SESSION = "Session1"


@dataclass(frozen=True, slots=True)
class Keys:
    """What a client signs with."""

    access_key_id: str
    secret: str
    session_token: str | None = None

    @classmethod
    def of(cls, credentials: Any) -> Keys:
        """Of an answer of STS."""
        return cls(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)


def keys_of(home: House, user_name: str | None = None) -> Keys:
    """A new access key of the user, or of the root user."""
    named = {"UserName": user_name} if user_name else {}
    key = home.call("iam:CreateAccessKey", **named).access_key
    return Keys(key.access_key_id, key.secret_access_key)


def signed(home: House, keys: Keys, action: str, **parameters: object) -> Request:
    """A request as botocore signs it at the house's own time, with an empty body: the gate takes parameters as they are."""
    service, _, name = action.partition(":")
    aws = AWSRequest("POST", "http://localhost:8700/", headers={"Host": "localhost:8700"}, data=b"")
    at = home.clock.now.strftime("%Y%m%dT%H%M%SZ")
    aws.context["timestamp"] = at
    aws.headers["X-Amz-Date"] = at
    signed_headers = "host;x-amz-date"
    if keys.session_token is not None:
        aws.headers["X-Amz-Security-Token"] = keys.session_token
        signed_headers += ";x-amz-security-token"
    signer = SigV4Auth(Credentials(keys.access_key_id, keys.secret), service, "ap-northeast-1")
    signature = signer.signature(signer.string_to_sign(aws, signer.canonical_request(aws)), aws)
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={keys.access_key_id}/{signer.credential_scope(aws)},"
        f" SignedHeaders={signed_headers}, Signature={signature}"
    )
    headers = [("host", "localhost:8700"), ("x-amz-date", at), ("authorization", authorization)]
    if keys.session_token is not None:
        headers.append(("x-amz-security-token", keys.session_token))
    return Request(
        service=SERVICES[service],
        action=name,
        version=SERVICES[service].version,
        parameters=parameters,
        request_id="signed",
        source_ip="192.0.2.7",
        user_agent="tests",
        signed=HTTPRequest("POST", "/", "", tuple(headers), b""),
    )


def run(home: House, keys: Keys, action: str, **parameters: object) -> Any:
    """The operation's result."""
    return home.service.gate.run(signed(home, keys, action, **parameters)).result


def who_is(home: House, keys: Keys) -> Principal:
    """Whom the service takes the bearer of these keys for."""
    return home.service.gate.run(signed(home, keys, "sts:GetCallerIdentity")).principal


def statement(**elements: object) -> str:
    """A policy of one statement, an Allow unless its elements say otherwise."""
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **elements}})


def trust(*principals: str, action: str | list[str] = "sts:AssumeRole", **elements: object) -> str:
    return statement(Principal={"AWS": list(principals)}, Action=action, **elements)


def make_role(home: House, name: str, trust_policy: str, as_: Principal | None = None, **parameters: object) -> str:
    """Its ARN."""
    made = home.call("iam:CreateRole", as_, RoleName=name, AssumeRolePolicyDocument=trust_policy, **parameters)
    return str(made.role.arn)


def allow(home: House, user_name: str, action: str | list[str], resource: str | list[str] = "*", **elements: object) -> None:
    """Give the user one more inline policy."""
    document = statement(Action=action, Resource=resource, **elements)
    name = f"policy-{len(home.call('iam:ListUserPolicies', UserName=user_name).policy_names)}"
    home.call("iam:PutUserPolicy", UserName=user_name, PolicyName=name, PolicyDocument=document)


def assume(home: House, principal: Principal, role_arn: str, **parameters: object) -> Any:
    return home.call("sts:AssumeRole", principal, **{"RoleArn": role_arn, "RoleSessionName": SESSION, **parameters})


def session_of(home: House, principal: Principal, role_arn: str, **parameters: object) -> Principal:
    """The principal that the credentials of a new role session make."""
    return who_is(home, Keys.of(assume(home, principal, role_arn, **parameters).credentials))


def role_arn(name: str, account_id: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account_id}:role/{name}"
