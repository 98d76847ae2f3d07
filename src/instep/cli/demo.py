"""The demo: Richard, whose device is twenty minutes slow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from instep.api.iam import IAM
from instep.app import Service
from instep.cli.folder import ask
from instep.cli.output import describe_drift
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


@dataclass(frozen=True, slots=True)
class Demo:
    """Richard's device in the account, and the practice device that shows its codes."""

    account_id: str
    data: Path
    device: PracticeDevice

    @property
    def serial_number(self) -> str:
        return arn.mfa_device_arn(self.account_id, "/", DEVICE)

    def facts(self) -> dict[str, str]:
        return {
            "user_name": USER_NAME,
            "serial_number": self.serial_number,
            "device": self.device.name,
            "device_file": str(self.data / FOLDER / f"{self.device.name}.json"),
        }

    def lines(self, endpoint: str, now: datetime, key: tuple[str, str] | None) -> list[str]:
        """`key` is the access key to sign with, as id and secret; None when it is not known here."""
        key_id, secret = key or ("…", "…")
        lines = [f"{USER_NAME}'s device {DEVICE} is {describe_drift(self.device.drift)}. Try it:"]
        if key is None:
            lines.append("  (the access key is the one that the first start showed; secrets are shown only once)")
        lines.append(f"  export AWS_ACCESS_KEY_ID={key_id} AWS_SECRET_ACCESS_KEY={secret} AWS_DEFAULT_REGION=us-east-1")
        lines.append(
            f"  aws --endpoint-url {endpoint} iam resync-mfa-device --user-name {USER_NAME}"
            f" --serial-number {self.serial_number}"
            f" --authentication-code1 {self.device.code(now)} --authentication-code2 {self.device.next_code(now)}"
        )
        return lines


def make_demo(service: Service, shelf: Shelf, account_id: str) -> None:
    """Richard and his device, enabled while its clock was right; then the clock lags behind.

    Raises Fault when there is a practice device of that name, which is then left alone.
    """
    root = Principal.root(account_id)
    ask(service, root, IAM, "CreateUser", UserName=USER_NAME)
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
