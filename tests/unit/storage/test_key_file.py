"""The key file: made once, for its owner alone; refused with a sentence that says how to mend it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from instep.services.faults import Fault
from instep.storage.vault import Vault, create_key_file, load_key_file


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "vault.key"
    create_key_file(path, os.urandom)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(Fault) as refused:
        Vault.from_key_file(path, os.urandom)
    return refused.value.message


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_new_key_file_is_its_owners_alone(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "vault.key"
    before = os.umask(umask)
    try:
        create_key_file(path, lambda length: b"r" * length)
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key_file(path) == b"r" * 32


def test_a_key_is_never_overwritten(key_file: Path) -> None:
    before = key_file.read_bytes()

    with pytest.raises(Fault, match="exists already; a key is never overwritten"):
        create_key_file(key_file, os.urandom)

    assert key_file.read_bytes() == before


def test_no_key_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "vault.key").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Fault, match="exists already"):
        create_key_file(tmp_path / "vault.key", os.urandom)

    assert not (tmp_path / "elsewhere").exists()


def test_a_key_without_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="cannot be written: No such file or directory"):
        create_key_file(tmp_path / "missing" / "vault.key", os.urandom)


def test_without_randomness_no_key_file_is_left_behind(tmp_path: Path) -> None:
    def dry(length: int) -> bytes:
        raise OSError("no randomness")

    with pytest.raises(OSError, match="no randomness"):
        create_key_file(tmp_path / "vault.key", dry)

    assert list(tmp_path.iterdir()) == []


def test_a_vault_opens_with_its_key_file(key_file: Path) -> None:
    sealed = Vault.from_key_file(key_file, os.urandom).seal(b"seed", table="t", column="c", row="r")

    assert Vault.from_key_file(key_file, os.urandom).open(sealed, table="t", column="c", row="r") == b"seed"


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o602, 0o601, 0o644, 0o666])
def test_a_key_file_open_to_others_is_refused_with_what_to_run(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)

    assert f"Run: chmod 600 {key_file}" in refusal(key_file)

    key_file.chmod(0o600)
    Vault.from_key_file(key_file, os.urandom)


def test_a_key_file_that_only_its_owner_may_read_is_fine(key_file: Path) -> None:
    key_file.chmod(0o400)

    assert len(load_key_file(key_file)) == 32


def test_a_missing_key_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    message = refusal(tmp_path / "vault.key")

    assert f"{tmp_path / 'vault.key'} is missing" in message
    assert "Put back the one that was made with the data folder" in message


@pytest.mark.parametrize("length", [0, 1, 31, 33, 100])
def test_a_key_file_of_another_length_is_refused_with_what_to_do(key_file: Path, length: int) -> None:
    key_file.write_bytes(b"x" * length)

    message = refusal(key_file)

    assert f"it has {length} bytes instead of 32" in message
    assert "Put back the one that was made with the data folder" in message
    assert "xx" not in message


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "vault.key"
    make(path)
    path.chmod(0o600)

    message = refusal(path)

    assert "is not a file" in message
    assert "Put back the one that was made with the data folder" in message
