"""Stores over real database files, and other processes beside them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from instep.domain.audit_event import AuditEvent
from instep.domain.drift import Tracking
from instep.domain.identity import Account, RootUser
from instep.domain.mfa import DeviceKind, MFADevice
from instep.storage import migrations
from instep.storage.transaction import Store
from instep.storage.vault import Vault

NOON = datetime(2026, 11, 24, 12, 0, 10, 123_000, tzinfo=UTC)
ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"
VAULT_KEY = bytes(range(32))
CHILDREN = Path(__file__).parent / "children"


class Stopwatch:
    """A clock that only sleeping moves, in seconds; `at_sleep` is done at each sleep."""

    def __init__(self, at_sleep: Callable[[], None] = lambda: None) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._at_sleep = at_sleep

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        self._at_sleep()


def make_database(folder: Path) -> str:
    """A database of the newest schema; its URL."""
    url = f"sqlite:///{folder}/instep.db"
    migrations.upgrade(url, Vault(VAULT_KEY, os.urandom))
    return url


def open_store(url: str, *, threads: int = 4, patience: float = 20.0) -> Store:
    return Store.open(
        url,
        threads=threads,
        patience=timedelta(seconds=patience),
        clock=time.monotonic,
        sleep=time.sleep,
        random=os.urandom,
    )


@contextmanager
def timed_store(url: str, watch: Stopwatch, *, patience: float = 1.0) -> Iterator[Store]:
    """A store that takes its time from `watch`, and spreads its pauses evenly."""
    store = Store.open(
        url,
        threads=2,
        patience=timedelta(seconds=patience),
        clock=watch,
        sleep=watch.sleep,
        random=lambda length: b"\x80" * length,
    )
    try:
        yield store
    finally:
        store.close()


@contextmanager
def child(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process of its own; it is killed if it is still there at the end."""
    process = subprocess.Popen(
        [sys.executable, str(CHILDREN / f"{script}.py"), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def an_account(account_id: str = ACCOUNT, *, alias: str | None = None) -> tuple[Account, RootUser]:
    return Account(account_id, alias, NOON), RootUser(account_id, f"Root@{account_id}.example", "hash", NOON)


def a_device(name: str = "Phone", *, account_id: str = ACCOUNT, **facts: Any) -> MFADevice:
    device = MFADevice(
        account_id=account_id,
        serial_number=f"arn:aws:iam::{account_id}:mfa/{name}",
        kind=DeviceKind.VIRTUAL,
        token_id=f"TOTP{name}",
        sealed_token=b"sealed",
        seed_fingerprint=f"fingerprint of {name}",
        created_at=NOON,
        tracking=Tracking.unseen(NOON),
    )
    return replace(device, **facts)


def an_event(event_id: str, *, account_id: str = ACCOUNT, at: datetime = NOON, **event: Any) -> AuditEvent:
    return AuditEvent(account_id, event_id, at, event)
