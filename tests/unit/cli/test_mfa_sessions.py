"""Sessions that `instep credentials` keeps."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from instep.cli.session_cache import Session, SessionCache, SessionKey

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = SessionKey("http://localhost:8700", "AKIAIOSFODNN7EXAMPLE", "arn:aws:iam::123456789012:mfa/RichardsMFA")
SESSION = Session("ASIAIOSFODNN7EXAMPLE", "no secret", "no token", NOON + timedelta(hours=1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "instep"


@pytest.fixture
def cache(folder: Path) -> SessionCache:
    return SessionCache(folder, KEY)


def only_file(folder: Path) -> Path:
    (found,) = folder.glob("*.json")
    return found


def test_a_session_is_given_out_until_shortly_before_it_expires(cache: SessionCache) -> None:
    cache.save(SESSION)

    assert cache.load(NOON) == SESSION
    assert cache.load(NOON + timedelta(minutes=54, seconds=59)) == SESSION
    assert cache.load(NOON + timedelta(minutes=55)) is None


def test_nothing_kept_is_no_session(cache: SessionCache) -> None:
    assert cache.load(NOON) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, endpoint_url="https://iam.amazonaws.com"),
        replace(KEY, access_key_id="AKIAI44QH8DHBEXAMPLE"),
        replace(KEY, serial_number="ABCD12345678"),
        replace(KEY, serial_number=""),
    ],
)
def test_another_endpoint_key_or_device_has_a_session_of_its_own(cache: SessionCache, folder: Path, other: SessionKey) -> None:
    cache.save(SESSION)

    assert SessionCache(folder, other).load(NOON) is None


def test_it_is_for_its_owner_s_eyes_only_and_nothing_else_is_left(cache: SessionCache, folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    with cache.alone():
        cache.save(SESSION)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.suffix for path in folder.iterdir()} == {".json", ".lock"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no time": lambda kept: {**kept, "session": {**kept["session"], "expires_at": "never"}},
    "no time zone": lambda kept: {**kept, "session": {**kept["session"], "expires_at": "2026-11-24T13:00:00"}},
    "a number": lambda kept: {**kept, "session": {**kept["session"], "expires_at": 5}},
    "no session": lambda kept: {**kept, "session": None},
    "an empty session": lambda kept: {**kept, "session": {}},
    "another version": lambda kept: {**kept, "version": 2},
    "another's key": lambda kept: {**kept, "key": {**kept["key"], "access_key_id": "AKIAI44QH8DHBEXAMPLE"}},
    "a list": lambda kept: [],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_file_that_was_changed_counts_as_none(
    cache: SessionCache, folder: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    cache.save(SESSION)
    file = only_file(folder)
    file.write_text(json.dumps(change(json.loads(file.read_text()))))

    assert cache.load(NOON) is None


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"null", b"[" * 100_000], ids=range(5))
def test_a_damaged_file_counts_as_none_and_is_replaced(cache: SessionCache, folder: Path, content: bytes) -> None:
    cache.save(SESSION)
    only_file(folder).write_bytes(content)

    assert cache.load(NOON) is None
    cache.save(SESSION)
    assert cache.load(NOON) == SESSION


def test_a_file_that_others_may_read_or_a_link_counts_as_none(cache: SessionCache, folder: Path) -> None:
    cache.save(SESSION)
    file = only_file(folder)
    file.chmod(0o640)
    assert cache.load(NOON) is None

    file.chmod(0o600)
    file.rename(folder / "elsewhere")
    file.symlink_to(folder / "elsewhere")
    assert cache.load(NOON) is None


def test_one_after_the_other_may_ask(cache: SessionCache, folder: Path) -> None:
    with cache.alone():
        descriptor = os.open(next(folder.glob("*.lock")), os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


def test_secrets_stay_out_of_what_is_printed_of_a_session() -> None:
    assert "no secret" not in repr(SESSION)
    assert "no token" not in repr(SESSION)


def test_programs_are_told_as_they_expect_it() -> None:
    assert SESSION.for_process() == {
        "Version": 1,
        "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "SecretAccessKey": "no secret",
        "SessionToken": "no token",
        "Expiration": "2026-11-24T13:00:00+00:00",
    }
