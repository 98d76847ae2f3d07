"""Users and their devices, each from its making to a resync, as far as the server lived; and whether it kept what it said."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Semaphore
from typing import Any

from instep.domain.practice import PracticeDevice
from instep.domain.totp import Token
from tests.fault.crowd import admin_keys, now_step, pair, scanned
from tests.fault.signed import Client, Keys, Reply
from tests.support.server import Server

STEPS = ("CreateUser", "CreateAccessKey", "CreateVirtualMFADevice", "EnableMFADevice", "GetSessionToken", "ResyncMFADevice")


@dataclass(slots=True)
class Life:
    """One user's: `acknowledged` are the operations that were answered, `pending` the one that the kill cut off."""

    name: str
    acknowledged: list[str] = field(default_factory=list)
    pending: str | None = None
    keys: Keys | None = None
    serial_number: str = ""
    device: PracticeDevice = field(default=PracticeDevice("", Token(bytes(20))), repr=False)
    enabled_at: int = 0

    def live(self, server: Server, acknowledged: Semaphore) -> None:
        """Raises OSError or HTTPException when the server dies."""
        with Client(server.endpoint, admin_keys(server)) as admin:
            for operation in STEPS:
                self.pending = operation
                self._run(operation, server, admin)
                self.acknowledged.append(operation)
                self.pending = None
                acknowledged.release()

    def ask_to_enable(self) -> dict[str, str]:
        return {"UserName": self.name, "SerialNumber": self.serial_number, **pair(self.device, self.enabled_at)}

    def ask_for_session(self) -> dict[str, str]:
        return {"SerialNumber": self.serial_number, "TokenCode": self.device.token.code(self.enabled_at + 1)}

    def ask_to_resync(self) -> dict[str, str]:
        return {"UserName": self.name, "SerialNumber": self.serial_number, **pair(self.device, self.enabled_at + 40)}

    def _run(self, operation: str, server: Server, admin: Client) -> None:
        match operation:
            case "CreateUser":
                admin.done("iam:CreateUser", UserName=self.name, **{"Tags.member.1.Key": "k", "Tags.member.1.Value": "v"})
            case "CreateAccessKey":
                made = admin.done("iam:CreateAccessKey", UserName=self.name)
                self.keys = Keys(made.text("AccessKeyId"), made.text("SecretAccessKey"))
            case "CreateVirtualMFADevice":
                made = admin.done("iam:CreateVirtualMFADevice", VirtualMFADeviceName=self.name)
                self.serial_number, self.device = made.text("SerialNumber"), scanned(made, self.name)
                self.enabled_at = now_step(self.device)
            case "EnableMFADevice":
                admin.done("iam:EnableMFADevice", **self.ask_to_enable())
            case "GetSessionToken":
                assert self.keys is not None
                with Client(server.endpoint, self.keys) as user:
                    user.done("sts:GetSessionToken", **self.ask_for_session())
            case _:
                admin.done("iam:ResyncMFADevice", **self.ask_to_resync())


def lives(prefix: str) -> Iterator[Life]:
    return (Life(f"{prefix}-{number}") for number in itertools.count())


class Kept:
    """What the store tells about lives: `events` are the audit trail's, `server` serves again."""

    def __init__(self, server: Server, events: list[Mapping[str, Any]], other_keys: Keys) -> None:
        self._server = server
        self._admin = Client(server.endpoint, admin_keys(server))
        # No pair is repeated by the key that sent it first: the same success would come back.
        self._other = Client(server.endpoint, other_keys)
        self._done = {(self._whose(event), event["eventName"]) for event in events if "errorCode" not in event}

    def close(self) -> None:
        self._admin.close()
        self._other.close()

    def check(self, life: Life) -> None:
        """Everything acknowledged is there, and what was cut off is there as a whole or not at all."""
        for operation in life.acknowledged:
            assert self._was_done(life, operation), (life, operation)
        checks: Mapping[str, Callable[[Life, bool], None]] = {
            "CreateUser": self._user,
            "CreateAccessKey": self._access_key,
            "CreateVirtualMFADevice": self._device,
            "EnableMFADevice": self._enabled,
            "GetSessionToken": self._session,
            "ResyncMFADevice": self._resynchronized,
        }
        for operation in [*life.acknowledged, *([life.pending] if life.pending else [])]:
            checks[operation](life, self._was_done(life, operation))

    def _whose(self, event: Mapping[str, Any]) -> str:
        asked = event["requestParameters"] or {}
        name = asked.get("userName") or asked.get("virtualMFADeviceName") or event["userIdentity"].get("userName", "")
        return str(name)

    def _was_done(self, life: Life, operation: str) -> bool:
        return (life.name, operation) in self._done

    def _user(self, life: Life, done: bool) -> None:
        found = self._admin.call("iam:GetUser", UserName=life.name)
        assert (found.code, found.status == 200) == ("" if done else "NoSuchEntity", done), life
        if done:
            assert found.text("Key") == "k"

    def _access_key(self, life: Life, done: bool) -> None:
        kept = self._admin.done("iam:ListAccessKeys", UserName=life.name).texts("AccessKeyId")
        assert len(kept) == done, life
        if life.keys is not None:
            with Client(self._server.endpoint, life.keys) as user:
                assert user.done("sts:GetCallerIdentity").text("Arn").endswith(f":user/{life.name}")

    def _device(self, life: Life, done: bool) -> None:
        made = self._admin.call("iam:CreateVirtualMFADevice", VirtualMFADeviceName=life.name)
        assert made.code == ("EntityAlreadyExists" if done else ""), life

    def _enabled(self, life: Life, done: bool) -> None:
        listed = self._admin.done("iam:ListMFADevices", UserName=life.name).texts("SerialNumber")
        assert (life.serial_number in listed) is done, life
        again = self._admin.call("iam:EnableMFADevice", **life.ask_to_enable())
        # Had the codes alone been kept, they would be refused now.
        assert again.code == ("EntityAlreadyExists" if done else ""), life

    def _session(self, life: Life, done: bool) -> None:
        assert life.keys is not None
        with Client(self._server.endpoint, life.keys) as user:
            again = user.call("sts:GetSessionToken", **life.ask_for_session())
        assert again.code == ("AccessDenied" if done else ""), life

    def _resynchronized(self, life: Life, done: bool) -> None:
        again: Reply = self._other.call("iam:ResyncMFADevice", **life.ask_to_resync())
        assert again.code == ("InvalidAuthenticationCode" if done else ""), life
        if done:
            assert again.headers["x-instep-reason"] == "spent"
