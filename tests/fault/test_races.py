"""Many at once after one thing: one of them gets it."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import cycle
from pathlib import Path
from threading import Event

import pytest

from tests.fault.crowd import admin_client, admin_keys, at_once, enabled_device, new_device, new_keys, now_step, pair
from tests.fault.signed import Client
from tests.support.server import Server

MANY = 50


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    variables = {"INSTEP_QUOTAS__ACCESS_KEYS_PER_USER": str(MANY + 10)}
    with Server(tmp_path_factory.mktemp("races"), variables=variables) as server:
        yield server
        server.stop()


@pytest.fixture
def admin(server: Server) -> Iterator[Client]:
    with admin_client(server) as client:
        yield client


def rows(server: Server, table: str, serial_number: str) -> int:
    """How many rows of `table` there are for the token of a device."""
    with closing(sqlite3.connect(server.data / "instep.db")) as database:
        found = database.execute(
            f"SELECT count(*) FROM {table} WHERE token_id = (SELECT token_id FROM mfa_devices WHERE serial_number = ?)",
            (serial_number,),
        )
        return int(found.fetchone()[0])


def test_fifty_clients_with_one_code_open_one_session(server: Server, admin: Client) -> None:
    admin.done("iam:CreateUser", UserName="Fifty")
    keys = new_keys(admin, UserName="Fifty")
    serial_number, device = enabled_device(admin, "Fifty", "Fifty", ago=3)
    code = device.token.code(now_step(device) - 1)

    replies = at_once(
        [Client(server.endpoint, keys) for _ in range(MANY)],
        lambda client: client.call("sts:GetSessionToken", SerialNumber=serial_number, TokenCode=code),
    )

    assert Counter((reply.status, reply.code) for reply in replies) == {(200, ""): 1, (403, "AccessDenied"): MANY - 1}
    assert rows(server, "spent_steps", serial_number) == 3


def test_fifty_clients_with_one_code_assume_one_role(server: Server, admin: Client) -> None:
    admin.done("iam:CreateUser", UserName="Assuming")
    keys = new_keys(admin, UserName="Assuming")
    serial_number, device = enabled_device(admin, "Assuming", "Assuming", ago=3)
    account_id = server.facts["account_id"]
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account_id}:user/Assuming"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = admin.done("iam:CreateRole", RoleName="Assumed", AssumeRolePolicyDocument=trust)
    ask = {"RoleArn": made.text("Arn"), "SerialNumber": serial_number, "TokenCode": device.token.code(now_step(device) - 1)}

    replies = at_once(
        [Client(server.endpoint, keys) for _ in range(MANY)],
        lambda client: client.call("sts:AssumeRole", RoleSessionName="Session1", **ask),
    )

    assert Counter((reply.status, reply.code) for reply in replies) == {(200, ""): 1, (403, "AccessDenied"): MANY - 1}
    sentences = {reply.text("Message") for reply in replies if reply.code}
    assert sentences == {"MultiFactorAuthentication failed with invalid MFA one time pass code. "}
    assert rows(server, "spent_steps", serial_number) == 3


def test_fifty_clients_with_one_code_use_it_at_one_door_only(server: Server, admin: Client) -> None:
    admin.done("iam:CreateUser", UserName="Doors")
    keys = new_keys(admin, UserName="Doors")
    serial_number, device = enabled_device(admin, "Doors", "Doors", ago=3)
    step = now_step(device) - 1
    code = {"SerialNumber": serial_number, "TokenCode": device.token.code(step)}
    asks = cycle(
        (
            ("sts:GetSessionToken", code),
            # The same code is the second of this pair.
            ("iam:ResyncMFADevice", {"UserName": "Doors", "SerialNumber": serial_number, **pair(device, step)}),
        )
    )
    clients = [Client(server.endpoint, signing) for _, signing in zip(range(MANY), cycle((keys, admin.keys)), strict=False)]
    planned = dict(zip(clients, asks, strict=False))

    replies = at_once(clients, lambda client: (planned[client][0], client.call(planned[client][0], **planned[client][1])))

    done = [action for action, reply in replies if reply.status == 200]
    # The pair may be answered again to the key that sent it; a session is opened once, and only when no pair came first.
    assert len(set(done)) == 1
    assert done.count("sts:GetSessionToken") <= 1
    assert {reply.status for _, reply in replies} == {200, 403}


def test_fifty_keys_with_one_pair_resynchronize_once(server: Server, admin: Client) -> None:
    admin.done("iam:CreateUser", UserName="Pair")
    serial_number, device = enabled_device(admin, "Pair", "Pair")
    ask = {"UserName": "Pair", "SerialNumber": serial_number, **pair(device, now_step(device) + 40)}
    clients = [Client(server.endpoint, new_keys(admin)) for _ in range(MANY)]

    replies = at_once(clients, lambda client: client.call("iam:ResyncMFADevice", **ask))

    refused = [reply for reply in replies if reply.status != 200]
    assert len(refused) == MANY - 1
    assert {reply.code for reply in refused} == {"InvalidAuthenticationCode"}
    assert {reply.headers["x-instep-reason"] for reply in refused} <= {"spent", "waiting"}
    assert rows(server, "spent_steps", serial_number) == 4
    assert rows(server, "sightings", serial_number) == 2
    winner = next(client for client, reply in zip(clients, replies, strict=True) if reply.status == 200)
    with winner:
        assert winner.call("iam:ResyncMFADevice", **ask).status == 200
    assert admin.call("iam:ResyncMFADevice", **ask).status == 403
    assert rows(server, "spent_steps", serial_number) == 4
    assert rows(server, "sightings", serial_number) == 2


def test_the_same_key_may_repeat_a_pair_at_the_same_moment(server: Server, admin: Client) -> None:
    admin.done("iam:CreateUser", UserName="Twins")
    serial_number, device = enabled_device(admin, "Twins", "Twins")
    ask = {"UserName": "Twins", "SerialNumber": serial_number, **pair(device, now_step(device) - 40)}

    replies = at_once(
        [Client(server.endpoint, admin_keys(server)) for _ in range(MANY)],
        lambda client: client.call("iam:ResyncMFADevice", **ask),
    )

    assert Counter(reply.status for reply in replies) == {200: MANY}
    assert len({reply.headers["x-instep-drift-seconds"] for reply in replies} - {""}) in (1, 2)
    assert rows(server, "spent_steps", serial_number) == 4
    assert rows(server, "sightings", serial_number) == 2


def test_of_two_users_enabling_one_device_one_gets_it(server: Server, admin: Client) -> None:
    for name in ("First", "Second"):
        admin.done("iam:CreateUser", UserName=name)
    for number in range(4):
        serial_number, device = new_device(admin, f"Raced{number}")
        codes = pair(device, now_step(device))
        users = cycle(("First", "Second"))
        clients = [admin_client(server) for _ in range(4)]
        named = dict(zip(clients, users, strict=False))

        replies = at_once(
            clients,
            lambda client, serial_number=serial_number, codes=codes, named=named: client.call(  # type: ignore[misc]
                "iam:EnableMFADevice", UserName=named[client], SerialNumber=serial_number, **codes
            ),
        )

        assert Counter((reply.status, reply.code) for reply in replies) == {(200, ""): 1, (409, "EntityAlreadyExists"): 3}
        holder = next(named[client] for client, reply in zip(clients, replies, strict=True) if reply.status == 200)
        assert serial_number in admin.done("iam:ListMFADevices", UserName=holder).texts("SerialNumber")
        assert rows(server, "spent_steps", serial_number) == 2


def test_no_race_brings_a_ninth_device(server: Server, admin: Client) -> None:
    admin.done("iam:CreateUser", UserName="Collector")
    for number in range(6):
        enabled_device(admin, "Collector", f"Collected{number}")
    clients = [admin_client(server) for _ in range(6)]
    waiting = dict(zip(clients, [new_device(admin, f"Wanted{number}") for number in range(6)], strict=True))

    def enable(client: Client) -> str:
        serial_number, device = waiting[client]
        codes = pair(device, now_step(device))
        return client.call("iam:EnableMFADevice", UserName="Collector", SerialNumber=serial_number, **codes).code

    assert Counter(at_once(clients, enable)) == {"": 2, "LimitExceeded": 4}
    assert len(admin.done("iam:ListMFADevices", UserName="Collector").texts("SerialNumber")) == 8


def test_a_device_is_deleted_or_enabled_but_never_both(server: Server, admin: Client) -> None:
    admin.done("iam:CreateUser", UserName="Either")
    for number in range(5):
        serial_number, device = new_device(admin, f"Either{number}")
        codes = pair(device, now_step(device))
        deleting, _ = clients = [admin_client(server), admin_client(server)]

        def ask(
            client: Client, serial_number: str = serial_number, deleting: Client = deleting, codes: dict[str, str] = codes
        ) -> str:
            if client is deleting:
                return client.call("iam:DeleteVirtualMFADevice", SerialNumber=serial_number).code
            return client.call("iam:EnableMFADevice", UserName="Either", SerialNumber=serial_number, **codes).code

        deleted, enabled = at_once(clients, ask)

        listed = admin.done("iam:ListMFADevices", UserName="Either").texts("SerialNumber")
        assert (deleted, enabled, serial_number in listed) in (("", "NoSuchEntity", False), ("DeleteConflict", "", True))
        if serial_number in listed:
            admin.done("iam:DeactivateMFADevice", UserName="Either", SerialNumber=serial_number)


def test_parallel_guesses_share_no_try(server: Server, admin: Client) -> None:
    admin.done("iam:CreateUser", UserName="Guessed")
    keys = new_keys(admin, UserName="Guessed")
    serial_number, device = enabled_device(admin, "Guessed", "Guessed", ago=3)
    right = device.token.code(now_step(device) - 1)
    wrong = next(code for code in ("000000", "111111", "222222") if code != right)

    replies = at_once(
        [Client(server.endpoint, keys) for _ in range(MANY)],
        lambda client: client.call("sts:GetSessionToken", SerialNumber=serial_number, TokenCode=wrong),
    )

    assert {reply.code for reply in replies} == {"AccessDenied"}
    with Client(server.endpoint, keys) as client:
        waits = client.call("sts:GetSessionToken", SerialNumber=serial_number, TokenCode=right)
    assert waits.code == "AccessDenied"
    assert rows(server, "spent_steps", serial_number) == 2


def test_one_name_is_given_once(server: Server, admin: Client) -> None:
    clients = [admin_client(server) for _ in range(MANY)]
    names = dict(zip(clients, cycle(("Wanted", "WANTED", "wanted")), strict=False))

    replies = at_once(clients, lambda client: client.call("iam:CreateUser", UserName=names[client]))

    assert Counter(reply.code for reply in replies) == {"": 1, "EntityAlreadyExists": MANY - 1}


def test_a_command_beside_a_busy_server_gets_its_turn(server: Server, admin: Client, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.csv"
    seed = "3132333435363738393031323334353637383930"
    tokens.write_text("".join(f"INTURN{number:04},{seed[:-4]}{number:04x},TOTP,6,30\n" for number in range(50)))
    done = Event()

    def write(number: int) -> int:
        written = 0
        with admin_client(server) as client:
            while not done.is_set():
                client.done("iam:CreateUser", UserName=f"Busy-{number}-{written}")
                written += 1
        return written

    with ThreadPoolExecutor(8) as pool:
        try:
            writers = [pool.submit(write, number) for number in range(8)]
            listed = server.instep("account", "list")
            imported = server.instep("tokens", "import", str(tokens))
        finally:
            done.set()
        assert all(writer.result() > 0 for writer in writers)

    assert (listed.returncode, listed.stderr) == (0, "")
    assert server.facts["account_id"] in listed.stdout
    assert imported.returncode == 0, imported.stderr
    admin.done("iam:CreateUser", UserName="Vendor")
    refused = admin.call(
        "iam:EnableMFADevice",
        UserName="Vendor",
        SerialNumber="INTURN0049",
        AuthenticationCode1="000000",
        AuthenticationCode2="000001",
    )
    assert refused.code == "InvalidAuthenticationCode"
