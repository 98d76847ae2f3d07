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


def refuse_the_folder(folder: Path, words: str) -> None:
    """The cache neither gives out, nor keeps, nor locks."""
    cache = SessionCache(folder, KEY)
    assert cache.load(NOON) is None
    with pytest.raises(OSError, match=words):
        cache.save(SESSION)
    with pytest.raises(OSError, match=words), cache.alone():
        raise AssertionError


def test_a_folder_that_is_a_link_is_refused_and_what_it_leads_to_stays_as_it_is(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    SessionCache(elsewhere, KEY).save(SESSION)
    elsewhere.chmod(0o755)
    folder.parent.mkdir()
    folder.symlink_to(elsewhere)

    refuse_the_folder(folder, "is a link")

    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o755
    assert list(elsewhere.iterdir()) == [only_file(elsewhere)]


def test_a_folder_that_is_a_link_to_nowhere_is_refused(folder: Path, tmp_path: Path) -> None:
    folder.parent.mkdir()
    folder.symlink_to(tmp_path / "nowhere")

    refuse_the_folder(folder, "is a link")

    assert not (tmp_path / "nowhere").exists()


def test_a_folder_of_somebody_else_s_is_refused(cache: SessionCache, folder: Path) -> None:
    cache.save(SESSION)
    if os.geteuid() == 0:
        os.chown(folder, 1, -1)
    else:
        folder = Path("/")

    refuse_the_folder(folder, "is somebody else's")


def test_the_cache_itself_may_lie_behind_a_link(cache: SessionCache, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder.parent.symlink_to(tmp_path / "elsewhere")

    cache.save(SESSION)

    assert cache.load(NOON) == SESSION


def test_folders_that_were_missing_are_for_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        SessionCache(tmp_path / "one" / "two" / "instep", KEY).save(SESSION)
    finally:
        os.umask(before)

    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_dir()} == {0o700}


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
