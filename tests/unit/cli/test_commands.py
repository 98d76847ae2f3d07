"""The commands as a whole: settings, help, and how trouble is told."""

from __future__ import annotations

import click
import pytest

from instep.cli import kernel_clock
from instep.cli.folder import Folder, Surroundings
from instep.cli.main import commands
from instep.cli.serving import endpoint, listening_address
from instep.cli.up import worker_environment
from instep.services.faults import Fault
from instep.settings import load
from tests.unit.cli.conftest import Desk


def every_command(group: click.Group = commands, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, command in group.commands.items():
        found += every_command(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
    return found


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_explains_itself(empty_desk: Desk, words: tuple[str, ...]) -> None:
    result = empty_desk.type(*words, "--help")

    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) > 3
    assert not empty_desk.data.exists()


def test_settings_say_what_is_in_force_and_from_where(empty_desk: Desk) -> None:
    empty_desk.data.mkdir()
    (empty_desk.data / "instep.toml").write_text("[server]\nport = 8701\n")

    rows = {row["key"]: row for row in empty_desk.facts("settings")}

    assert (rows["server.port"]["value"], rows["server.port"]["origin"]) == ("8701", str(empty_desk.data / "instep.toml"))
    assert rows["server.threads"]["origin"] == "default"
    assert "server.port" in empty_desk.type("settings").stdout


def test_a_setting_that_does_not_fit_stops_every_command_in_one_line(empty_desk: Desk) -> None:
    empty_desk.data.mkdir()
    (empty_desk.data / "instep.toml").write_text("[server]\nprot = 8701\n")

    for words in (("settings",), ("init",), ("serve",), ("doctor",)):
        result = empty_desk.type(*words)

        assert result.exit_code == 1
        assert result.stderr.startswith("Error: server.prot")
        assert len(result.stderr.splitlines()) == 1


def test_a_port_that_is_none_is_refused(empty_desk: Desk) -> None:
    result = empty_desk.type("serve", "--port", "70000")

    assert result.exit_code == 1
    assert "--port" in result.stderr


def test_the_worker_gets_the_options_as_variables(empty_desk: Desk) -> None:
    folder = Folder(empty_desk.data, None, Surroundings())
    settings = folder.settings(server_port=8701, server_host="::1")

    environment = worker_environment(folder, settings)

    there = load(environment=environment)
    assert (there.server.port, there.server.host, there.data) == (8701, "::1", empty_desk.data)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://localhost:8701"),
        ("0.0.0.0", "http://localhost:8701"),
        ("::1", "http://localhost:8701"),
        ("192.0.2.7", "http://192.0.2.7:8701"),
        ("2001:db8::7", "http://[2001:db8::7]:8701"),
        ("id.example.com", "http://id.example.com:8701"),
    ],
)
def test_the_address_to_call_follows_from_where_it_listens(empty_desk: Desk, host: str, address: str) -> None:
    assert endpoint(Folder(empty_desk.data, None, Surroundings()).settings(server_port=8701, server_host=host)) == address


def test_a_public_address_goes_before(empty_desk: Desk) -> None:
    settings = load(data=empty_desk.data, environment={"INSTEP_SERVER__PUBLIC_URL": "https://id.example.com"})

    assert endpoint(settings) == "https://id.example.com"


def test_a_host_that_is_not_of_this_machine_is_told(empty_desk: Desk) -> None:
    with pytest.raises(Fault, match=r"This machine has no address 192\.0\.2\.7"):
        listening_address("192.0.2.7", 8701)


def test_a_name_becomes_a_number_that_the_server_understands() -> None:
    assert listening_address("localhost", 0) == "127.0.0.1"


def test_the_kernel_says_whether_its_clock_is_kept_right_or_nothing() -> None:
    assert kernel_clock.kept_right() in (True, False, None)
