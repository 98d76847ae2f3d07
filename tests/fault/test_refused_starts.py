"""What cannot be served is refused at the start, in a sentence that says how to mend it."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fault.crowd import admin_client, admin_keys
from tests.fault.signed import Client
from tests.support.house import Clock, house
from tests.support.server import DidNotServe, Server


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """One that has served, and was stopped."""
    server = Server(tmp_path_factory.mktemp("installed"))
    with server:
        with admin_client(server) as admin:
            admin.done("iam:CreateUser", UserName="Richard")
        server.stop()
    return server


@pytest.fixture
def stopped(installed: Server, tmp_path: Path) -> Iterator[Server]:
    """A copy of it to be damaged."""
    copy = Server(tmp_path)
    shutil.copytree(installed.data, copy.data)
    copy.facts = {**installed.facts, "endpoint": f"http://localhost:{copy.port}"}
    yield copy
    copy.kill()


def refusal(server: Server) -> str:
    """What a start says that is refused."""
    with pytest.raises(DidNotServe, match="It ended with 1"):
        server.start()
    said = [line for line in server.log_text().splitlines() if line.startswith("Error: ")]
    assert len(said) == 1, server.log_text()
    assert "Traceback" not in server.log_text()
    return said[0]


def remove_key(server: Server) -> None:
    (server.data / "vault.key").unlink()


def other_key(server: Server) -> None:
    (server.data / "vault.key").write_bytes(bytes(range(32)))


def open_key(server: Server) -> None:
    (server.data / "vault.key").chmod(0o644)


def short_key(server: Server) -> None:
    os.truncate(server.data / "vault.key", 16)


def empty_key(server: Server) -> None:
    os.truncate(server.data / "vault.key", 0)


def folder_for_key(server: Server) -> None:
    remove_key(server)
    (server.data / "vault.key").mkdir()


def newer_schema(server: Server) -> None:
    with closing(sqlite3.connect(server.data / "instep.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999_from_the_future'")


def garbage(server: Server) -> None:
    (server.data / "instep.db").write_bytes(b"this is no database at all, whatever it once was\n" * 1000)


def damaged_pages(server: Server) -> None:
    """Its head is whole, the pages behind it are not."""
    database = server.data / "instep.db"
    size = database.stat().st_size
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))


def cut_short(server: Server) -> None:
    os.truncate(server.data / "instep.db", 6000)


def folder_for_database(server: Server) -> None:
    (server.data / "instep.db").unlink()
    (server.data / "instep.db").mkdir()


@pytest.mark.parametrize(
    ("damage", "sentences"),
    [
        (remove_key, ["vault.key is missing", "Put back"]),
        (other_key, ["key file does not belong to this database", "Put back"]),
        (open_key, ["Others may read", "chmod 600"]),
        (short_key, ["does not hold a key", "16 bytes instead of 32", "Put back"]),
        (empty_key, ["does not hold a key", "0 bytes instead of 32", "Put back"]),
        (folder_for_key, ["vault.key is not a file"]),
        (newer_schema, ["newer version"]),
        (garbage, ["damaged or is no database", "Restore"]),
        (damaged_pages, ["damaged or is no database", "Restore"]),
        (cut_short, ["damaged or is no database", "Restore"]),
        (folder_for_database, ["cannot be opened"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_cannot_be_served_is_refused_and_said(
    stopped: Server, damage: Callable[[Server], None], sentences: list[str]
) -> None:
    damage(stopped)
    kept = {path.name: path.read_bytes() for path in stopped.data.iterdir() if path.is_file() and path.name != "set-up.lock"}

    said = refusal(stopped)

    for sentence in sentences:
        assert sentence in said
    for name, content in kept.items():
        if not name.endswith(("-shm", "-wal")):
            assert (stopped.data / name).read_bytes() == content, f"{name} was changed"


@pytest.mark.parametrize("damage", [other_key, newer_schema, garbage])
def test_doctor_and_serve_say_it_too(stopped: Server, damage: Callable[[Server], None]) -> None:
    damage(stopped)
    said = refusal(stopped).removeprefix("Error: ").rstrip(".")

    doctor, serve = stopped.instep("doctor"), stopped.instep("serve", "--port", str(stopped.port))

    assert (doctor.returncode, serve.returncode) == (1, 1)
    assert said in doctor.stderr
    assert said in serve.stderr
    assert "Traceback" not in doctor.stderr + serve.stderr


def test_mended_it_serves_as_before(stopped: Server) -> None:
    key = stopped.data / "vault.key"
    content = key.read_bytes()
    other_key(stopped)
    refusal(stopped)
    key.write_bytes(content)
    stopped.start()
    with admin_client(stopped) as admin:
        assert admin.done("iam:ListUsers").texts("UserName") == ["admin", "Richard"]
    stopped.stop()


def test_a_taken_port_is_refused_and_said(stopped: Server) -> None:
    with socket.create_server(("127.0.0.1", stopped.port)):
        said = refusal(stopped)
    assert f"Port {stopped.port} of 127.0.0.1 is taken" in said
    assert "--port" in said


def test_two_servers_never_share_a_port(installed: Server, stopped: Server) -> None:
    stopped.start()
    second = stopped.instep("serve", "--port", str(stopped.port))
    assert second.returncode == 1
    assert "is taken" in second.stderr
    with Client(stopped.endpoint, admin_keys(installed)) as admin:
        admin.done("iam:CreateUser", UserName="StillServed")
    stopped.stop()


def test_a_clock_behind_the_audit_trail_is_told(tmp_path: Path) -> None:
    with house(tmp_path, Clock(datetime.now(UTC) + timedelta(days=2))) as home:
        home.user("Richard")
    server = Server(tmp_path)
    with server:
        doctor = server.instep("doctor")
        assert doctor.returncode == 1
        assert "but there is an audit event of" in doctor.stderr
        assert "Set the clock" in doctor.stderr
        assert "the clock may be wrong" in server.log_text()
        server.stop()
