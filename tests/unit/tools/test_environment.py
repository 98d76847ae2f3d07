"""The set-up of environments: what it notices, what it leaves alone, what it tells."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tools import environment
from tools.environment import (
    ENVIRONMENTS,
    NODE_MODULES,
    ROOT,
    Environment,
    NodeModules,
    NodeSetup,
    Setup,
    SetupError,
    diagnosis,
    digest,
    surroundings,
)


def an_environment(folder: Path) -> Environment:
    return dataclasses.replace(ENVIRONMENTS["run"], folder=str(folder))


def set_up(modules: NodeModules) -> None:
    with (ROOT / "LICENSE").open() as lock:
        NodeSetup(modules, lock.fileno()).run()


def a_lock_file(folder: Path) -> NodeModules:
    """With one package."""
    lock = {"packages": {"": {}, "node_modules/tslib": {"version": "2.8.1"}}}
    (folder / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    (folder / "package.json").write_text("{}", encoding="utf-8")
    return NodeModules(str(folder / "node_modules"), "JavaScript")


def an_npm(folder: Path, body: str) -> None:
    """A program that runs `body` when it is asked to install; the last of its arguments is the folder to do it in."""
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\nfor folder; do :; done\n{body}\n", encoding="utf-8")
    program.chmod(0o755)


INSTALLING = 'mkdir -p "$folder/node_modules" && echo "$1" >> "$folder/asked"'


def find_python(folder: Path, **scripts: str) -> subprocess.CompletedProcess[str]:
    """Runs tools/find-python with only `scripts` and a shell on PATH."""
    for name, body in scripts.items():
        script = folder / name
        script.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        script.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", ROOT / "tools" / "find-python", "./up"],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_changed_file_changes_the_digest_and_a_compiled_one_does_not() -> None:
    package = ROOT / "src" / "instep"
    sources = [file for file in package.rglob("*") if file.is_file() and "__pycache__" not in file.parts]

    assert digest([package]) == digest([package])
    assert digest([package]) != digest([package / "domain"])
    assert digest([package], "3.11") != digest([package], "3.12")
    assert digest(sorted(sources)) == digest([package])


def test_an_environment_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\n", encoding="utf-8")

    with (ROOT / "LICENSE").open() as lock, pytest.raises(SetupError, match="was not made by instep's set-up"):
        Setup(an_environment(tmp_path), lock.fileno()).run()

    assert [file.name for file in tmp_path.iterdir()] == ["pyvenv.cfg"]


def test_a_stamp_is_read_back_as_it_was_written_and_its_absence_is_no_error(tmp_path: Path) -> None:
    subject = an_environment(tmp_path)

    assert subject.read() == {}
    subject.write(base="12", package="34")
    assert subject.read() == {"base": "12", "package": "34"}


def test_packages_of_npm_are_installed_once_and_anew_when_their_lock_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    an_npm(tmp_path, INSTALLING)
    modules = a_lock_file(tmp_path)

    for _ in range(2):
        set_up(modules)
    assert (tmp_path / "asked").read_text(encoding="utf-8") == "ci\n"

    modules.lock_file.write_text('{"packages": {"": {}}}', encoding="utf-8")
    set_up(modules)
    assert (tmp_path / "asked").read_text(encoding="utf-8") == "ci\nci\n"
    assert not (tmp_path / ".npm").exists()


def test_packages_of_npm_that_were_left_half_installed_are_installed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    modules = a_lock_file(tmp_path)
    an_npm(tmp_path, INSTALLING)
    set_up(modules)
    whole = modules.lock_file.read_text(encoding="utf-8")
    modules.lock_file.write_text('{"packages": {"": {}}}', encoding="utf-8")

    an_npm(tmp_path, f"{INSTALLING}; echo npm error code EINTEGRITY; exit 1")
    with pytest.raises(SetupError, match="its hash differs"):
        set_up(modules)

    modules.lock_file.write_text(whole, encoding="utf-8")
    an_npm(tmp_path, INSTALLING)
    set_up(modules)
    assert (tmp_path / "asked").read_text(encoding="utf-8") == "ci\nci\nci\n"


def test_a_missing_npm_is_told_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SetupError, match="apt install nodejs npm"):
        set_up(a_lock_file(tmp_path))


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "its hash differs"),
        ("OSError: [Errno 28] No space left on device", "Make room"),
        ("[Errno 30] Read-only file system: '/srv/instep/.venv'", "cannot be written"),
        ("[Errno -2] Name or service not known: Failed to establish a new connection", "Check the network"),
        ("ERROR: No matching distribution found for granian==2.8.7", "no ready-made granian==2.8.7 for this Python"),
        ("npm error code EINTEGRITY", "its hash differs"),
        ("npm ERR! code EBADENGINE", "Install 18 or newer"),
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN", "NODE_EXTRA_CA_CERTS"),
        ("npm error code ECONNREFUSED", "npm config list"),
        ("npm error code E404", "npm config list"),
        ("npm error nospc ENOSPC: No space left on device", "Make room"),
        ("something else", "run it again"),
    ],
)
def test_a_failure_says_what_to_do_next_and_shows_what_was_said(output: str, sentence: str) -> None:
    told = diagnosis(output)

    assert sentence in told
    assert told.endswith(output)


def test_pip_keeps_a_mirror_but_installs_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example.com/simple")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")

    assert surroundings()["PIP_INDEX_URL"] == "https://mirror.example.com/simple"
    assert "PIP_TARGET" not in surroundings()


def test_an_unknown_environment_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert environment.main(["production"]) == 2
    assert "run | dev | awscli-v1 | javascript" in capsys.readouterr().err


def test_a_name_with_no_python_behind_it_is_passed_over(tmp_path: Path) -> None:
    found = find_python(tmp_path, **{"python3": "exit 127", "python3.13": "exit 127", "python3.12": "exit 0"})

    assert (found.returncode, found.stdout) == (0, "python3.12\n")


def test_a_python_that_is_too_old_is_named_with_what_to_install(tmp_path: Path) -> None:
    found = find_python(tmp_path, python3='[ "$1" = --version ] && echo Python 3.9.2 || exit 1')

    assert (found.returncode, found.stdout) == (1, "")
    assert "here is: Python 3.9.2" in found.stderr
    assert "apt install python3 python3-venv" in found.stderr


def test_what_is_installed_is_pinned_and_hashed_and_names_no_index() -> None:
    files = sorted((ROOT / "requirements").glob("*.txt"))

    assert {name for each in ENVIRONMENTS.values() for name in each.requirements} == {file.name for file in files}
    for file in files:
        entries = file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        assert all("==" in entry and "--hash=sha256:" in entry for entry in entries), file.name
        assert "://" not in file.read_text(encoding="utf-8")


def test_what_npm_installs_is_pinned_and_hashed_and_names_no_registry() -> None:
    asked, locked = (json.loads(file.read_text(encoding="utf-8")) for file in NODE_MODULES["javascript"].sources)
    ours, *packages = locked["packages"].values()

    assert ours["dependencies"] == asked["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in asked["dependencies"].values())
    assert all(package["integrity"].startswith("sha512-") and "resolved" not in package for package in packages)


def test_every_script_at_the_door_is_executable() -> None:
    assert all(os.access(ROOT / name, os.X_OK) for name in ("up", "test", ".ci/run", "tools/check", "tools/find-python"))
