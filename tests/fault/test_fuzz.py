"""Twenty thousand random requests through the whole application: not one is the service's fault, and the store stays whole.

INSTEP_FUZZ_SEED and INSTEP_FUZZ_REQUESTS choose other ones.
"""

from __future__ import annotations

import io
import json
import os
import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import structlog
from structlog.typing import EventDict

from instep import app
from instep.api.common import AccessDenied
from instep.domain.identity import Principal
from instep.services.authorize import ENCODED_MESSAGE_HEADER
from tests.fault.nonsense import Nonsense, Phone, Wild, environ_of
from tests.fault.signed import Keys
from tests.support.house import ACCOUNT, OTHER_ACCOUNT, Clock, House, house

SEED = int(os.environ.get("INSTEP_FUZZ_SEED", "20261124"))
REQUESTS = int(os.environ.get("INSTEP_FUZZ_REQUESTS", "20000"))
# How often the waiting part of the audit trail is written, and the clock moved.
BATCH = 500

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Any]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a commit costs little, if there is such a place: it is the answers that are looked at here, not the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as made:
        yield Path(made)


@pytest.fixture
def lines() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def keys_of(home: House, principal: Principal, **parameters: object) -> Keys:
    made = home.call("iam:CreateAccessKey", principal, **parameters).access_key
    return Keys(made.access_key_id, made.secret_access_key)


def send(wsgi: WSGI, wild: Wild) -> tuple[int, dict[str, str], bytes]:
    errors = io.StringIO()
    started: list[Any] = []
    answer = wsgi(environ_of(wild, io.BytesIO(wild.body), errors), lambda status, headers, *_: started.extend((status, headers)))
    body = b"".join(answer)
    assert errors.getvalue() == ""
    status, headers = started
    return int(status[:3]), {name.lower(): value for name, value in headers}, body


def check(status: int, headers: dict[str, str], body: bytes) -> None:
    assert 200 <= status < 500
    assert headers["x-amzn-requestid"]
    assert not any("\r" in value or "\n" in value for value in headers.values())
    assert b"Traceback" not in body
    if body:
        ET.fromstring(body)


def check_log(lines: list[EventDict], secrets: list[str]) -> None:
    for line in lines:
        shown = repr(line)
        assert line["log_level"] == "info", shown
        assert "Traceback" not in shown
        assert not any(secret in shown for secret in secrets), line["event"]
    lines.clear()


def phone_of(home: House, name: str, *, enabled: bool) -> Phone:
    """A new user's device."""
    home.user(name)
    serial_number, device = home.virtual_device(name)
    if enabled:
        home.enable(name, serial_number, device)

    def codes(choose: random.Random) -> tuple[str, str]:
        step = device.step(home.clock.now) + choose.choice((0, 1, 2, 3, -3, 40, -2000, 20_000))
        return device.token.code(step - 1), device.token.code(step)

    return Phone(name.encode(), serial_number.encode(), codes)


def signers_of(home: House) -> tuple[Keys, Keys, Keys, Keys]:
    """The root user, the administrator, a user with a permission or two, and the root user of the other account."""
    home.put_policy("Phone0", {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
    stranger = Principal.root(OTHER_ACCOUNT, "AKIAROOTROOTROOTROOT")
    admin, user = (keys_of(home, home.root, UserName=name) for name in ("admin", "Phone0"))
    return keys_of(home, home.root), admin, user, keys_of(home, stranger)


def sessions_of(home: House) -> list[Keys]:
    """Without MFA, of a role, and a federated user's."""
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = home.call("iam:CreateRole", RoleName="Fuzz", AssumeRolePolicyDocument=document).role.arn
    home.call("iam:AttachRolePolicy", RoleName="Fuzz", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    user = home.principal("Phone0", home.call("iam:ListAccessKeys", UserName="Phone0").access_key_metadata[0].access_key_id)
    answers = (
        home.call("sts:GetSessionToken", user),
        home.call("sts:AssumeRole", user, RoleArn=role, RoleSessionName="Session1"),
        home.call("sts:GetFederationToken", user, Name="Bob"),
    )
    made = [answer.credentials for answer in answers]
    return [Keys(one.access_key_id, one.secret_access_key, one.session_token) for one in made]


def sealed_message(home: House) -> bytes:
    """What came with a refusal."""
    with pytest.raises(AccessDenied) as raised:
        home.call("iam:ListUsers", home.user("Nobody"))
    return raised.value.headers[ENCODED_MESSAGE_HEADER].encode()


def test_no_request_whatsoever_is_the_services_fault(folder: Path, lines: list[EventDict]) -> None:
    clock = Clock(datetime.now(UTC))
    with house(folder, clock, quotas={"access_keys_per_user": 100}) as home:
        phones = [phone_of(home, f"Phone{number}", enabled=number % 2 == 0) for number in range(80)]
        root, admin, user, other = signers_of(home)
        temporary = [keys for keys in sessions_of(home) for _ in range(2)]
        signers = [*[root] * 16, *[admin] * 4, *[user] * 3, *temporary, other, Keys("AKIAIOSFODNN7EXAMPLE", "x")]
        nonsense = Nonsense(SEED, signers, phones)
        nonsense.know("EncodedMessage", sealed_message(home))
        secrets = [keys.secret_access_key for keys in (root, admin, user, other, *temporary)]
        wsgi = app.create_wsgi(home.service)
        seen: Counter[tuple[str, int]] = Counter()
        for number in range(REQUESTS):
            wild = nonsense.request()
            status, headers, body = send(wsgi, wild)
            try:
                check(status, headers, body)
            except (AssertionError, ET.ParseError, KeyError) as wrong:
                told = f"seed {SEED}, request {number}: {wild}\nanswered {status}: {body[:2000]!r}\n{lines[-2:]}"
                raise AssertionError(told) from wrong
            nonsense.learn(wild.what, status, body)
            seen[wild.what, status] += 1
            if number % BATCH == 0:
                home.service.trail.flush()
                clock.advance(seconds=10)
                check_log(lines, secrets)
        check_log(lines, secrets)
        assert seen.total() == REQUESTS
        never = [operation.action for operation in nonsense.operations if not seen[operation.action, 200]]
        assert not never, f"no request got through to {never}: {seen}"
        still_whole(home)
        works(home)
    check_log(lines, secrets)
    sound(folder)


def still_whole(home: House) -> None:
    """Every list can be read to its end, and neither account has anything of the other's."""
    for account_id in (ACCOUNT, OTHER_ACCOUNT):
        root = Principal.root(account_id, "AKIAROOTROOTROOTROOT")
        users = listed(home, root, "iam:ListUsers", "users")
        devices = listed(home, root, "iam:ListVirtualMFADevices", "virtual_mfa_devices")
        assert all(user.arn.startswith(f"arn:aws:iam::{account_id}:user/") for user in users)
        assert all(device.serial_number.startswith(f"arn:aws:iam::{account_id}:mfa/") for device in devices)
        assert len(users) == len({user.user_name.lower() for user in users})
        assert home.call("iam:GetAccountSummary", root).summary_map["Users"] == len(users)
        for user in users:
            for device in home.call("iam:ListMFADevices", root, UserName=user.user_name).mfa_devices:
                assert home.call("iam:GetMFADevice", root, SerialNumber=device.serial_number).user_name == user.user_name


def listed(home: House, principal: Principal, action: str, member: str) -> list[Any]:
    """What a list holds, page by page."""
    found: list[Any] = []
    marker: dict[str, str] = {}
    while True:
        page = home.call(action, principal, **marker)
        found += getattr(page, member)
        if not page.is_truncated:
            return found
        marker = {"Marker": page.marker}


def works(home: House) -> None:
    """The whole life of a device."""
    home.clock.advance(hours=1)
    principal = home.user("After-all-this")
    serial_number, device = home.enabled_device("After-all-this", "After-all-this")
    home.clock.advance(minutes=2)
    assert home.session(principal, serial_number, device.code(home.clock.now)).session_token
    home.clock.advance(minutes=2)
    home.resync("After-all-this", serial_number, device)


def sound(folder: Path) -> None:
    database = sqlite3.connect(folder / "data" / "instep.db")
    try:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        database.close()
