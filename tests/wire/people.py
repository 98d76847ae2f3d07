"""Who uses the served product in these tests: users with keys and phones, and what nobody may find in the log afterwards."""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import zxingcpp
from botocore.exceptions import ClientError
from PIL import Image

from instep.domain.practice import PracticeDevice
from instep.domain.totp import Token
from tests.support.server import Server


@dataclass(slots=True)
class Secrets:
    """What was told in confidence: seeds, keys, passwords and session tokens as `words`, and six-digit `codes`."""

    words: set[str] = field(default_factory=set, repr=False)
    codes: set[str] = field(default_factory=set, repr=False)

    def leaked_into(self, log: str) -> int:
        """How many of them `log` mentions; which ones is not for a test's output either."""
        said = "\n".join(_what_it_says(line) for line in log.splitlines())
        return sum(word in log for word in self.words) + len(self.codes.intersection(re.findall(r"\b\d{6}\b", said)))


def _what_it_says(line: str) -> str:
    """A line of the log without its times and random ids: six digits of theirs mean nothing."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    if not isinstance(entry, dict):
        return line
    return json.dumps({name: value for name, value in entry.items() if name not in ("timestamp", "request_id", "ms")})


class Phone:
    """A phone that has scanned a QR code.  It reads out its codes one after the other, quicker than time goes.

    At first its clock is right, and the code it reads out next is that of the step before the last.
    """

    def __init__(self, serial_number: str, token: Token, secrets: Secrets) -> None:
        self.serial_number = serial_number
        self._device = PracticeDevice(serial_number, token)
        self._secrets = secrets
        self._step = self._device.step(datetime.now(UTC)) - 2

    def drift(self, **length: float) -> None:
        """From now on its clock is wrong by `length`, as in drift(minutes=-20); it begins with the code it then shows."""
        self._device = PracticeDevice(self.serial_number, self._device.token, timedelta(**length))
        self._step = self._device.step(datetime.now(UTC)) - 1

    def code(self) -> str:
        """The next one."""
        self._step += 1
        code = self._device.token.code(self._step)
        self._secrets.codes.add(code)
        return code

    def pair(self) -> dict[str, str]:
        """The next two, as EnableMFADevice and ResyncMFADevice take them."""
        return {"AuthenticationCode1": self.code(), "AuthenticationCode2": self.code()}


@dataclass(frozen=True, slots=True)
class Person:
    """A user with an access key."""

    name: str
    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the served product, seen by its administrator."""

    server: Server
    secrets: Secrets
    account_id: str
    admin_name: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    iam: Any = field(repr=False)

    @classmethod
    def first(cls, server: Server, secrets: Secrets) -> Account:
        """The one that the server was set up with."""
        return cls.of(server, secrets, server.facts)

    @classmethod
    def another(cls, server: Server, secrets: Secrets) -> Account:
        """One more on the same server."""
        made = server.instep("account", "create", "--output", "json")
        assert made.returncode == 0, made.stderr
        return cls.of(server, secrets, json.loads(made.stdout))

    @classmethod
    def of(cls, server: Server, secrets: Secrets, facts: dict[str, Any]) -> Account:
        secrets.words |= {facts["root_password"], facts["secret_access_key"]}
        key = facts["access_key_id"], facts["secret_access_key"]
        return cls(server, secrets, facts["account_id"], facts["user_name"], *key, iam=server.boto("iam", *key))

    def sts(self) -> Any:
        return self.server.boto("sts", self.access_key_id, self.secret_access_key)

    def root(self) -> Person:
        """The root user with a fresh access key, as operators make them."""
        made = self.server.instep("root", "create-access-key", "--account", self.account_id, "--output", "json")
        assert made.returncode == 0, made.stderr
        key = json.loads(made.stdout)
        self.secrets.words.add(key["secret_access_key"])
        return Person("root", key["access_key_id"], key["secret_access_key"])

    def name(self, kind: str = "user") -> str:
        """One that nobody else has."""
        return f"{kind}-{uuid.uuid4().hex[:12]}"

    def person(self, name: str | None = None) -> Person:
        name = name or self.name()
        self.iam.create_user(UserName=name)
        return self.key_of(name)

    def key_of(self, name: str) -> Person:
        """The user of that name with a fresh access key."""
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        self.secrets.words.add(key["SecretAccessKey"])
        return Person(name, key["AccessKeyId"], key["SecretAccessKey"])

    def client_of(self, person: Person, service: str, **options: str) -> Any:
        return self.server.boto(service, person.access_key_id, person.secret_access_key, **options)

    def session(self, credentials: dict[str, Any], service: str) -> Any:
        """A client with what GetSessionToken gave out."""
        self.secrets.words |= {credentials["SecretAccessKey"], credentials["SessionToken"]}
        return self.server.boto(service, credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])

    def phone(self, name: str | None = None, **parameters: Any) -> Phone:
        """A new virtual device, and the phone that scanned its QR code."""
        made = self.iam.create_virtual_mfa_device(VirtualMFADeviceName=name or self.name("phone"), **parameters)[
            "VirtualMFADevice"
        ]
        return Phone(made["SerialNumber"], Token.from_uri(self.scan(made["QRCodePNG"])), self.secrets)

    def scan(self, png: bytes) -> str:
        """What the QR code says."""
        found = zxingcpp.read_barcode(Image.open(io.BytesIO(png)))
        assert found is not None
        address = str(found.text)
        self.secrets.words.add(Token.from_uri(address).base32)
        return address

    def enabled_phone(self, user_name: str) -> Phone:
        phone = self.phone()
        self.iam.enable_mfa_device(UserName=user_name, SerialNumber=phone.serial_number, **phone.pair())
        return phone


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a call was refused, as boto3 tells it."""

    status: int
    code: str
    message: str
    type: str = "Sender"


def refusal(call: Callable[..., object], /, **parameters: object) -> Refusal:
    """The refusal that `call` meets with; the test fails if it meets with none."""
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    response: Any = raised.value.response
    error = response["Error"]
    return Refusal(response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"], error["Type"])


BAD_PAIR = Refusal(403, "InvalidAuthenticationCode", "Authentication code for device is not valid.")
