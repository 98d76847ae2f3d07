"""Many clients at once, and what they need: an administrator's keys, devices with codes of days to show."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import TypeVar

from instep.domain.practice import PracticeDevice
from instep.domain.totp import Token
from tests.fault.signed import Client, Keys, Reply
from tests.support.server import Server

Result = TypeVar("Result")


def admin_keys(server: Server) -> Keys:
    return Keys(server.facts["access_key_id"], server.facts["secret_access_key"])


def admin_client(server: Server) -> Client:
    return Client(server.endpoint, admin_keys(server))


def new_keys(admin: Client, **parameters: object) -> Keys:
    """Another access key, of the administrator or of UserName."""
    made = admin.done("iam:CreateAccessKey", **parameters)
    return Keys(made.text("AccessKeyId"), made.text("SecretAccessKey"))


def scanned(made: Reply, name: str) -> PracticeDevice:
    """The phone that scanned what CreateVirtualMFADevice answered."""
    # In base32 already, and as any blob in base64 once more.
    return PracticeDevice(name, Token.from_base32(b64decode(made.text("Base32StringSeed")).decode("ascii")))


def new_device(admin: Client, name: str) -> tuple[str, PracticeDevice]:
    made = admin.done("iam:CreateVirtualMFADevice", VirtualMFADeviceName=name)
    return made.text("SerialNumber"), scanned(made, name)


def enabled_device(admin: Client, user_name: str, name: str, *, ago: int = 0) -> tuple[str, PracticeDevice]:
    """A device whose clock stood `ago` steps back when it was enabled."""
    serial_number, device = new_device(admin, name)
    admin.done("iam:EnableMFADevice", UserName=user_name, SerialNumber=serial_number, **pair(device, now_step(device) - ago))
    return serial_number, device


def now_step(device: PracticeDevice) -> int:
    return device.step(datetime.now(UTC))


def pair(device: PracticeDevice, step: int) -> dict[str, str]:
    """The code of the step before `step`, and its own."""
    return {"AuthenticationCode1": device.token.code(step - 1), "AuthenticationCode2": device.token.code(step)}


def at_once(clients: Sequence[Client], ask: Callable[[Client], Result]) -> list[Result]:
    """What each client was answered; all are connected and start together, and hang up at the end."""
    start = Barrier(len(clients))

    def one(client: Client) -> Result:
        client.connect()
        start.wait(60)
        with client:
            return ask(client)

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(one, clients))
