"""A disk that is full: a clear refusal, reads go on, nothing is lost, no code is spent for nothing; then all is well again."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fault.crowd import admin_client, enabled_device, new_device, new_keys, now_step, pair
from tests.fault.disks import Disk, disk, kinds
from tests.fault.signed import Client, Reply
from tests.support.server import Server


@pytest.fixture(params=kinds())
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    with disk(request.param, tmp_path) as small:
        yield small


@pytest.fixture
def server(small: Disk) -> Iterator[Server]:
    with Server(small.folder) as server:
        yield server


def fill(small: Disk, server: Server, admin: Client) -> list[str]:
    """Fill the disk, and what room the database still has of its own; the users that this was acknowledged for."""
    small.fill(server)
    # Each makes the database longer by some pages, and its write-ahead log too.
    tags: dict[str, object] = {}
    for number in range(1, 51):
        tags |= {f"Tags.member.{number}.Key": f"key-{number}", f"Tags.member.{number}.Value": "v" * 256}
    made: list[str] = []
    for number in itertools.count():
        assert number < 1000, "the disk never got full"
        reply = admin.call("iam:CreateUser", UserName=f"Filler-{number}", **tags)
        if reply.status != 200:
            assert_told(reply)
            return made
        made.append(f"Filler-{number}")
    raise AssertionError


def assert_told(reply: Reply) -> None:
    assert (reply.status, reply.code) == (500, "ServiceFailure")
    assert reply.text("Type") == "Receiver"
    assert "disk" in reply.text("Message"), reply.text("Message")
    assert "full" in reply.text("Message"), reply.text("Message")
    assert reply.headers["x-amzn-requestid"] == reply.text("RequestId")


def test_a_full_disk_refuses_changes_and_loses_nothing(small: Disk, server: Server) -> None:
    with admin_client(server) as admin:
        admin.done("iam:CreateUser", UserName="Richard")
        keys = new_keys(admin, UserName="Richard")
        serial_number, device = enabled_device(admin, "Richard", "RichardsMFA", ago=3)
        spare, spare_device = new_device(admin, "Spare")
        first = now_step(device)
        user = Client(server.endpoint, keys)
        session = {"SerialNumber": serial_number, "TokenCode": device.token.code(first - 1)}
        resync = {"UserName": "Richard", "SerialNumber": serial_number, **pair(device, first + 40)}
        enable = {"UserName": "Richard", "SerialNumber": spare, **pair(spare_device, first)}

        made = fill(small, server, admin)

        for _ in range(3):
            assert_told(user.call("sts:GetSessionToken", **session))
            assert_told(admin.call("iam:ResyncMFADevice", **resync))
            assert_told(admin.call("iam:EnableMFADevice", **enable))
            assert_told(admin.call("iam:CreateUser", UserName="Nobody"))
            # Reads go on, those included that are written down only later.
            assert admin.done("iam:GetUser", UserName="Richard").text("UserName") == "Richard"
            assert user.done("sts:GetCallerIdentity").text("Arn").endswith(":user/Richard")
            assert admin.done("iam:ListMFADevices", UserName="Richard").texts("SerialNumber") == [serial_number]

        small.free(server)

        # None of the refused requests spent a code or counted as a miss.
        user.done("sts:GetSessionToken", **session)
        assert user.call("sts:GetSessionToken", **session).code == "AccessDenied"
        admin.done("iam:ResyncMFADevice", **resync)
        admin.done("iam:EnableMFADevice", **enable)
        assert admin.call("iam:GetUser", UserName="Nobody").code == "NoSuchEntity"
        for name in made:
            assert admin.done("iam:GetUser", UserName=name).text("Value") == "v" * 256
        admin.close()
        user.close()
        server.restart()
        assert len(admin.done("iam:ListMFADevices", UserName="Richard").texts("SerialNumber")) == 2
        for name in made:
            admin.done("iam:GetUser", UserName=name)
        server.stop()
    assert_sound(server.data / "instep.db")
    assert "Traceback" not in server.log_text()


def test_a_server_killed_on_a_full_disk_serves_again(small: Disk, server: Server) -> None:
    with admin_client(server) as admin:
        admin.done("iam:CreateUser", UserName="Before")
        made = fill(small, server, admin)
        admin.close()
        server.kill()
        small.free(server)
        server.restart()
        for name in ("Before", *made):
            admin.done("iam:GetUser", UserName=name)
        admin.done("iam:CreateUser", UserName="After")
        server.stop()
    assert_sound(server.data / "instep.db")


def assert_sound(database: Path) -> None:
    with closing(sqlite3.connect(database)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert opened.execute("PRAGMA foreign_key_check").fetchall() == []
