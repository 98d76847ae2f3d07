"""A whole service over a real database file, with a clock that tests move."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from instep import app
from instep.api.shape import ServiceModel
from instep.domain.identity import Principal
from instep.domain.practice import PracticeDevice
from instep.domain.totp import Token
from instep.services.gate import Answer, Request
from instep.services.operation import SERVICES
from instep.settings import Settings

NOON = datetime(2026, 11, 24, 12, 0, 10, tzinfo=UTC)
ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"


class Clock:
    """Shows what tests set."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **length: float) -> datetime:
        self.now += timedelta(**length)
        return self.now


class House:
    """The service, and short ways to what tests ask of it."""

    def __init__(self, service: app.Service, clock: Clock, *, first_request: int = 10) -> None:
        self.service = service
        self.clock = clock
        self._requests = count(first_request)

    @property
    def root(self) -> Principal:
        return Principal.root(ACCOUNT, "AKIAROOTROOTROOTROOT")

    def answer(self, action: str, as_: Principal | None = None, /, **parameters: object) -> Answer:
        """The gate's answer to `iam:ListUsers` and its like, by default for the root user.

        Raises TypeError for parameters no client can send: the gate would take a number for a parameter that was not given.
        """
        for name, value in parameters.items():
            _refuse_what_is_no_text(name, value)
        service, _, operation = action.partition(":")
        model: ServiceModel = SERVICES[service]
        return self.service.gate.run(
            Request(
                service=model,
                action=operation,
                version=model.version,
                parameters=parameters,
                request_id=f"request-{next(self._requests):06d}",
                source_ip="192.0.2.7",
                user_agent="tests",
                principal=as_ or self.root,
            )
        )

    def call(self, action: str, as_: Principal | None = None, /, **parameters: object) -> Any:
        return self.answer(action, as_, **parameters).result

    def user(self, name: str, **parameters: object) -> Principal:
        """A new user, as the principal of an access key of theirs."""
        self.call("iam:CreateUser", UserName=name, **parameters)
        return self.principal(name)

    def principal(self, name: str, access_key_id: str = "AKIAUSERUSERUSERUSER") -> Principal:
        user = self.service.store.read(lambda tx: tx.users.find(ACCOUNT, name))
        assert user is not None
        return Principal.user(user, access_key_id)

    def owner(self, name: str, access_key_id: str = "AKIAUSERUSERUSERUSER") -> Principal:
        """The user, with the permission to look after their own devices."""
        self.allow(name, "iam:ListMFADevices", "iam:GetMFADevice", "iam:EnableMFADevice", "iam:ResyncMFADevice")
        return self.principal(name, access_key_id)

    def allow(self, user_name: str, *actions: str, resource: str = "*") -> None:
        """An inline policy of the user's, in the place of one that this made before."""
        statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
        self.put_policy(user_name, {"Version": "2012-10-17", "Statement": statement}, name="allowed")

    def put_policy(self, user_name: str, document: Mapping[str, Any], *, name: str = "policy") -> None:
        text = msgspec.json.encode(document).decode()
        self.call("iam:PutUserPolicy", UserName=user_name, PolicyName=name, PolicyDocument=text)

    def virtual_device(self, name: str, **parameters: object) -> tuple[str, PracticeDevice]:
        """A new virtual device's serial number, and the phone that scanned it: its clock is right."""
        made = self.call("iam:CreateVirtualMFADevice", VirtualMFADeviceName=name, **parameters).virtual_mfa_device
        return made.serial_number, PracticeDevice(name, Token.from_base32(made.base32_string_seed.decode()))

    def enabled_device(self, user_name: str, name: str) -> tuple[str, PracticeDevice]:
        serial_number, device = self.virtual_device(name)
        self.enable(user_name, serial_number, device)
        return serial_number, device

    def enable(self, user_name: str, serial_number: str, device: PracticeDevice, as_: Principal | None = None) -> Answer:
        """With the code shown a period ago and the one shown now."""
        return self.answer("iam:EnableMFADevice", as_, UserName=user_name, SerialNumber=serial_number, **self.pair(device))

    def resync(self, user_name: str, serial_number: str, device: PracticeDevice, as_: Principal | None = None) -> Answer:
        return self.answer("iam:ResyncMFADevice", as_, UserName=user_name, SerialNumber=serial_number, **self.pair(device))

    def pair(self, device: PracticeDevice) -> dict[str, str]:
        step = device.step(self.clock.now)
        return {"AuthenticationCode1": device.token.code(step - 1), "AuthenticationCode2": device.token.code(step)}

    def session(self, principal: Principal, serial_number: str, code: str) -> Any:
        return self.call("sts:GetSessionToken", principal, SerialNumber=serial_number, TokenCode=code).credentials

    def events(self) -> list[Mapping[str, Any]]:
        """In the order of the requests; many come in the same millisecond."""
        self.service.trail.flush()
        kept = self.service.store.read(lambda tx: tx.audit_events.latest(None, limit=1000))
        return sorted((one.event for one in kept), key=lambda event: str(event["requestID"]))


def _refuse_what_is_no_text(name: str, value: object) -> None:
    match value:
        case str():
            pass
        case list():
            for item in value:
                _refuse_what_is_no_text(name, item)
        case dict():
            for item in value.values():
                _refuse_what_is_no_text(name, item)
        case _:
            raise TypeError(f"{name} is sent as text, not as {type(value).__name__}.")


@contextmanager
def house(folder: Path, clock: Clock | None = None, **sections: Mapping[str, Any]) -> Iterator[House]:
    """`sections` change settings: house(tmp_path, throttle={"free_misses": 2})."""
    clock = clock or Clock()
    # Passwords take long to hash, so each process makes its two accounts once, at noon, and every house begins with a copy.
    shutil.copytree(_furnished(), folder / "data")
    settings = Settings.defaults(folder / "data")
    for name, values in sections.items():
        settings = msgspec.structs.replace(settings, **{name: msgspec.structs.replace(getattr(settings, name), **values)})
    service = app.open_service(settings, clock=clock)
    try:
        yield House(service, clock)
    finally:
        service.close()


@cache
def _furnished() -> Path:
    """A data folder with both accounts."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings = Settings.defaults(folder / "data")
    app.initialize(settings)
    service = app.open_service(settings, clock=Clock())
    composed = House(service, Clock(), first_request=0)
    for account_id in (ACCOUNT, OTHER_ACCOUNT):
        composed.call(
            "instep:CreateAccount",
            Principal.operator(account_id),
            AccountId=account_id,
            RootEmail=f"root-{account_id}@example.com",
            **({"AccountAlias": "example"} if account_id == ACCOUNT else {}),
        )
    service.close()
    return settings.data
