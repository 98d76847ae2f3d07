"""Killed between accept and answer: what was acknowledged is there, what was cut off is there as a whole or not at all."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import Any

from instep import app
from instep.settings import Settings
from tests.fault.crowd import admin_client, admin_keys, new_keys
from tests.fault.lives import Kept, Life, lives
from tests.fault.signed import Client
from tests.support.server import Server

THREADS = 6


def burst(server: Server, name: str, *, until: int, kill: Any) -> list[Life]:
    """Lives of several threads' users, cut off by `kill` once `until` changes were acknowledged."""
    acknowledged = threading.Semaphore(0)
    killed = threading.Event()

    def live_on(number: int) -> list[Life]:
        lived: list[Life] = []
        try:
            for life in lives(f"{name}-{number}"):
                lived.append(life)
                life.live(server, acknowledged)
                if killed.is_set():
                    break
        except (OSError, HTTPException):
            assert killed.is_set(), server.log_text()[-2000:]
        except AssertionError:
            # Nobody need wait for changes that will not come; the future has the reason.
            acknowledged.release(until)
            raise
        return lived

    with ThreadPoolExecutor(THREADS) as pool:
        running = [pool.submit(live_on, number) for number in range(THREADS)]
        for _ in range(until):
            assert acknowledged.acquire(timeout=60)
        killed.set()
        kill()
        return [life for future in running for life in future.result()]


def events(data: Path) -> list[Mapping[str, Any]]:
    """The whole audit trail, read beside the server."""
    service = app.open_service(Settings.defaults(data))
    try:
        return [kept.event for kept in service.store.read(lambda tx: tx.audit_events.latest(None, limit=100_000))]
    finally:
        service.close()


def assert_sound(data: Path) -> None:
    with closing(sqlite3.connect(data / "instep.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def assert_kept(server: Server, lived: list[Life]) -> None:
    assert_sound(server.data)
    with admin_client(server) as admin:
        other_keys = new_keys(admin)
        kept = Kept(server, events(server.data), other_keys)
        try:
            for life in lived:
                kept.check(life)
        finally:
            kept.close()
            admin.done("iam:DeleteAccessKey", AccessKeyId=other_keys.access_key_id)


def test_a_kill_in_a_burst_of_changes_loses_and_halves_none(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        for until in (1, 25, 60):
            lived = burst(server, f"until-{until}", until=until, kill=server.kill)
            server.restart()
            assert sum(len(life.acknowledged) for life in lived) >= until
            assert_kept(server, lived)
        server.stop()


def test_a_killed_worker_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        worker = worker_of(server.pid)
        lived = burst(server, "worker", until=30, kill=lambda: os.kill(worker, signal.SIGKILL))
        serves_again(server)
        assert worker_of(server.pid) != worker
        assert_kept(server, lived)
        server.stop()


def worker_of(pid: int) -> int:
    """The process that a server's main process keeps for requests."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    serving = [int(child) for child in children if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()]
    assert len(serving) == 1, serving
    return serving[0]


def serves_again(server: Server) -> None:
    """Returns once a new worker answers."""
    pause = threading.Event()
    for _ in range(600):
        try:
            with Client(server.endpoint, admin_keys(server)) as admin:
                admin.done("sts:GetCallerIdentity")
                return
        except (OSError, HTTPException):
            # Nobody tells when the port is served again; until then a connection is refused at once.
            pause.wait(0.1)
    raise AssertionError(server.log_text()[-2000:])
