"""The demo: Richard, whose device is twenty minutes slow, and who may put it right himself, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from instep.api.iam import IAM, AccessKey
from instep.app import Service
from instep.cli.folder import ask
from instep.cli.output import command_to_type, describe_drift
from instep.cli.shelf import FOLDER, Shelf
from instep.domain import arn
from instep.domain.identity import Principal
from instep.domain.practice import PracticeDevice
from instep.domain.totp import Token, UnusableToken
from instep.services.faults import Fault

ACCOUNT_ID = "123456789012"
ALIAS = "example"
ROOT_EMAIL = "root@example.com"
USER_NAME = "Richard"
DEVICE = "RichardsMFA"
DRIFT = timedelta(minutes=-20)
# The demo has a past: a device that was right a moment ago could not be that slow now, and its owner would be refused.
AGO = timedelta(days=7)
POLICY_NAME = "resync-own-mfa-device"
# What the IAM User Guide's page on resynchronizing devices gives to people who shall do this on their own.
POLICY = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "AllowListActions",
      "Effect": "Allow",
      "Action": ["iam:ListVirtualMFADevices"],
      "Resource": "*"
    },
    {
      "Sid": "AllowUserToViewAndManageTheirOwnUserMFA",
      "Effect": "Allow",
      "Action": ["iam:ListMFADevices", "iam:ResyncMFADevice"],
      "Resource": "arn:aws:iam::*:user/${aws:username}"
    },
    {
      "Sid": "BlockAllExceptListedIfNoMFA",
      "Effect": "Deny",
      "NotAction": ["iam:ListMFADevices", "iam:ListVirtualMFADevices", "iam:ResyncMFADevice"],
      "Resource": "*",
      "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    }
  ]
}"""


@dataclass(frozen=True, slots=True)
class Demo:
    """Richard's device in the account, and the practice device that shows its codes."""

    account_id: str
    data: Path
    device: PracticeDevice
    key: AccessKey | None = field(default=None, repr=False)
    """Richard's own; None when it was made by an earlier start."""

    @property
    def serial_number(self) -> str:
        return arn.mfa_device_arn(self.account_id, "/", DEVICE)

    def facts(self) -> dict[str, str]:
        facts = {
            "user_name": USER_NAME,
            "serial_number": self.serial_number,
            "device": self.device.name,
            "device_file": str(self.data / FOLDER / f"{self.device.name}.json"),
        }
        if self.key is not None:
            facts |= {"access_key_id": self.key.access_key_id, "secret_access_key": self.key.secret_access_key}
        return facts

    def lines(self, endpoint: str, now: datetime, key: tuple[str, str] | None) -> list[str]:
        """`key` is the access key to sign with, as id and secret; None when it is not known here."""
        key_id, secret = key or ("…", "…")
        lines = [f"{USER_NAME}'s device {DEVICE} is {describe_drift(self.device.drift)}. Try it:"]
        if key is None:
            lines.append("  (the access key is the one that the first start showed; secrets are shown only once)")
        lines.append(_export(key_id, secret))
        lines.append(
            f"  aws --endpoint-url {endpoint} iam resync-mfa-device --user-name {USER_NAME}"
            f" --serial-number {self.serial_number}"
            f" --authentication-code1 {self.device.code(now)} --authentication-code2 {self.device.next_code(now)}"
        )
        if self.key is not None:
            lines += [
                f"Or as {USER_NAME}, who may put his own device right, and nothing else:",
                _export(self.key.access_key_id, self.key.secret_access_key) + f" AWS_ENDPOINT_URL={endpoint}",
                f"  {command_to_type()} mfa resync",
            ]
        return lines


def _export(key_id: str, secret: str) -> str:
    return f"  export AWS_ACCESS_KEY_ID={key_id} AWS_SECRET_ACCESS_KEY={secret} AWS_DEFAULT_REGION=us-east-1"


def make_demo(service: Service, shelf: Shelf, account_id: str) -> AccessKey:
    """Richard with his policy and access key, and his device, enabled while its clock was right; then the clock lags behind.

    Raises Fault when there is a practice device of that name, which is then left alone.
    """
    root = Principal.root(account_id)
    ask(service, root, IAM, "CreateUser", UserName=USER_NAME)
    ask(service, root, IAM, "PutUserPolicy", UserName=USER_NAME, PolicyName=POLICY_NAME, PolicyDocument=POLICY)
    key: AccessKey = ask(service, root, IAM, "CreateAccessKey", UserName=USER_NAME).access_key
    made = ask(service, root, IAM, "CreateVirtualMFADevice", VirtualMFADeviceName=DEVICE).virtual_mfa_device
    token = Token.from_base32(made.base32_string_seed.decode())
    step = token.time_step(service.clock())
    ask(
        service,
        root,
        IAM,
        "EnableMFADevice",
        UserName=USER_NAME,
        SerialNumber=made.serial_number,
        AuthenticationCode1=token.code(step - 1),
        AuthenticationCode2=token.code(step),
    )
    try:
        shelf.add(PracticeDevice(DEVICE, token, DRIFT))
    except UnusableToken as refusal:
        raise Fault(f"{refusal} Rename its file, or choose another folder with --data.") from None
    return key


def find_demo(service: Service, data: Path) -> Demo | None:
    """The demo that an earlier start made, if it is there still: the practice device, and Richard's own in an account."""
    shelf = Shelf(data)
    try:
        if DEVICE not in shelf.names():
            return None
        device = shelf.load(DEVICE)
    except UnusableToken:
        return None

    def held_in(account_id: str) -> bool:
        serial_number = arn.mfa_device_arn(account_id, "/", DEVICE)
        found = service.store.read(lambda tx: tx.mfa_devices.find(account_id, serial_number))
        return found is not None and found.seed_fingerprint == service.vault.fingerprint(device.token.seed)

    accounts = service.store.read(lambda tx: tx.accounts.all())
    return next((Demo(one.account_id, data, device) for one in accounts if held_in(one.account_id)), None)
