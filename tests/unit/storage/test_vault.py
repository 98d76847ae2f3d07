"""What is sealed opens in its own place, with its own key, and nowhere else."""

from __future__ import annotations

import base64
import os
import string
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.services.faults import Fault
from instep.storage.vault import Vault

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
SECRET = b"12345678901234567890"
PLACE = {"table": "mfa_devices", "column": "sealed_token", "row": "123456789012/TOTPAAAA"}


@pytest.fixture
def vault() -> Vault:
    return Vault(KEY, os.urandom)


@given(st.binary(max_size=300))
def test_what_was_sealed_opens_in_its_place(plaintext: bytes) -> None:
    vault = Vault(KEY, os.urandom)

    assert vault.open(vault.seal(plaintext, **PLACE), **PLACE) == plaintext
    assert Vault(KEY, os.urandom).open(vault.seal(plaintext, **PLACE), **PLACE) == plaintext


@pytest.mark.parametrize("part", ["table", "column", "row"])
def test_another_place_does_not_open_it(vault: Vault, part: str) -> None:
    sealed = vault.seal(SECRET, **PLACE)

    with pytest.raises(Fault, match=r"does not open: it was damaged, moved or sealed with another key"):
        vault.open(sealed, **{**PLACE, part: PLACE[part] + "x"})


def test_places_that_read_alike_when_joined_are_different_ones(vault: Vault) -> None:
    sealed = vault.seal(SECRET, table="ab", column="c", row="d")

    for table, column, row in (("a", "bc", "d"), ("ab", "cd", ""), ("", "abc", "d"), ("abc", "", "d")):
        with pytest.raises(Fault):
            vault.open(sealed, table=table, column=column, row=row)


def test_another_key_does_not_open_it(vault: Vault) -> None:
    with pytest.raises(Fault):
        Vault(OTHER_KEY, os.urandom).open(vault.seal(SECRET, **PLACE), **PLACE)


def test_no_changed_bit_goes_unnoticed(vault: Vault) -> None:
    sealed = vault.seal(SECRET, **PLACE)

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1 << position % 8
        with pytest.raises(Fault):
            vault.open(bytes(changed), **PLACE)


def test_no_missing_or_added_byte_goes_unnoticed(vault: Vault) -> None:
    sealed = vault.seal(SECRET, **PLACE)

    for changed in (*(sealed[:length] for length in range(len(sealed))), sealed[1:], sealed + b"\0", b""):
        with pytest.raises(Fault):
            vault.open(changed, **PLACE)


def test_the_same_content_is_never_sealed_alike_twice(vault: Vault) -> None:
    assert len({vault.seal(SECRET, **PLACE) for _ in range(100)}) == 100


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_key_has_thirty_two_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(bytes(length), os.urandom)


def test_fingerprints_are_stable_under_one_key_and_different_under_another(vault: Vault) -> None:
    fingerprint = vault.fingerprint(SECRET)

    assert fingerprint == Vault(KEY, os.urandom).fingerprint(SECRET)
    assert fingerprint != Vault(OTHER_KEY, os.urandom).fingerprint(SECRET)
    assert fingerprint != vault.fingerprint(SECRET + b"\0")
    assert len(fingerprint) == 64
    assert set(fingerprint) <= set("0123456789abcdef")


@given(st.binary(max_size=600))
def test_a_session_token_gives_its_claims_back(claims: bytes) -> None:
    vault = Vault(KEY, os.urandom)

    session_token = vault.seal_session_token(claims)

    assert vault.open_session_token(session_token) == claims
    assert len(session_token) >= 100
    assert set(session_token) <= set(string.ascii_letters + string.digits + "-_")


def test_claims_that_end_like_the_filling_come_back_whole(vault: Vault) -> None:
    for claims in (b"\x80", b"a\x80\0\0", b"\0" * 63, b"\x80" * 64, b"\0"):
        assert vault.open_session_token(vault.seal_session_token(claims)) == claims


def test_no_changed_character_of_a_session_token_goes_unnoticed(vault: Vault) -> None:
    session_token = vault.seal_session_token(b"{}")

    for position, character in enumerate(session_token):
        other = "A" if character != "A" else "B"
        with pytest.raises(ValueError, match="was not sealed here"):
            vault.open_session_token(session_token[:position] + other + session_token[position + 1 :])


def test_there_is_one_spelling_of_each_session_token(vault: Vault) -> None:
    # Random, until both characters that have another spelling are in it.
    session_token = next(token for _ in range(10_000) if {"-", "_"} <= set(token := vault.seal_session_token(b"{}")))

    spellings = [
        session_token.replace("-", "+"),
        session_token.replace("_", "/"),
        *(session_token + ending for ending in ("=", "==", "===", "====", "\n", " ", "A", "AAAA", "\0", "é")),
        "\n" + session_token,
        session_token[:50] + "\n" + session_token[50:],
        session_token[:50] + "=" + session_token[50:],
        session_token[:50] + "\u200b" + session_token[50:],
        session_token.swapcase(),
    ]
    for spelling in spellings:
        with pytest.raises(ValueError, match="was not sealed here"):
            vault.open_session_token(spelling)


@given(st.text(max_size=300))
def test_garbage_is_no_session_token(text: str) -> None:
    with pytest.raises(ValueError, match="was not sealed here"):
        Vault(KEY, os.urandom).open_session_token(text)


def test_a_session_token_of_another_installation_does_not_open(vault: Vault) -> None:
    with pytest.raises(ValueError, match="was not sealed here"):
        vault.open_session_token(Vault(OTHER_KEY, os.urandom).seal_session_token(b"{}"))


def test_what_is_sealed_for_a_row_is_no_session_token(vault: Vault) -> None:
    claims = b"{}".ljust(64, b"\0")
    as_token = vault.seal_session_token(b"{}")

    row = base64.urlsafe_b64encode(vault.seal(claims, **PLACE)).decode()
    assert len(row) == len(as_token)
    with pytest.raises(ValueError, match="was not sealed here"):
        vault.open_session_token(row)
    with pytest.raises(Fault):
        vault.open(base64.urlsafe_b64decode(as_token), **PLACE)


def test_the_check_value_tells_one_key_from_another(vault: Vault) -> None:
    value = vault.check_value()

    Vault(KEY, os.urandom).verify_check_value(value)
    with pytest.raises(Fault, match=r"Put back the key file that was made with the data folder"):
        Vault(OTHER_KEY, os.urandom).verify_check_value(value)


def test_nothing_secret_is_in_a_repr_or_a_refusal(vault: Vault) -> None:
    sealed = vault.seal(SECRET, **PLACE)
    session_token = vault.seal_session_token(SECRET)
    texts = [repr(vault), str(vault)]
    for attempt in (
        lambda: vault.open(sealed, **{**PLACE, "row": "elsewhere"}),
        lambda: Vault(OTHER_KEY, os.urandom).verify_check_value(vault.check_value()),
        lambda: vault.open_session_token(session_token[:-1] + "é"),
        lambda: vault.open_session_token(session_token.swapcase()),
    ):
        with pytest.raises((Fault, ValueError)) as refused:
            attempt()
        # The whole chain, as a log would print it.
        texts.append("".join(traceback.format_exception(refused.value)))
        texts.append(repr(refused.value))

    for text in texts:
        for secret in (KEY.decode(), SECRET.decode(), OTHER_KEY.decode(), session_token[:20], sealed.hex()[:20]):
            assert secret not in text
