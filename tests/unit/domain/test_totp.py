"""Codes, tokens and their addresses."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.domain.totp import (
    Algorithm,
    Token,
    UnusableToken,
    check_digits,
    code_reader,
    matching_steps,
    read_algorithm,
    read_period,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SEED = b"a seed that is no secret"
TOKEN = Token(SEED)
VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "otp.json").read_text("utf-8"))

tokens = st.builds(Token, st.binary(min_size=10, max_size=200), st.sampled_from(Algorithm), st.sampled_from([30, 60]))


@pytest.mark.parametrize("vector", VECTORS["hotp"], ids=lambda vector: str(vector["counter"]))
def test_codes_are_those_of_rfc_4226(vector: dict[str, Any]) -> None:
    assert Token(vector["seed"].encode()).code(vector["counter"]) == vector["code"]


@pytest.mark.parametrize("vector", VECTORS["totp"], ids=lambda vector: f"{vector['algorithm']}-{vector['time']}")
def test_codes_are_the_last_six_digits_of_those_of_rfc_6238(vector: dict[str, Any]) -> None:
    token = Token(vector["seed"].encode(), Algorithm(vector["algorithm"]), vector["period"])

    code = token.code(token.time_step(datetime.fromtimestamp(vector["time"], UTC)))

    # Truncation keeps the low digits, so six of eight are the last six.
    assert code == vector["code"][-6:]


@given(token=tokens, step=st.integers(0, 2**63))
def test_a_code_is_what_the_standard_library_s_hmac_gives(token: Token, step: int) -> None:
    mac = hmac.digest(token.seed, step.to_bytes(8, "big"), token.algorithm.lower())
    offset = mac[-1] % 16
    number = int.from_bytes(mac[offset : offset + 4], "big") % 2**31 % 10**6

    assert code_reader(token)(step) == token.code(step) == str(number).zfill(6)


def test_a_code_keeps_its_leading_zeros() -> None:
    read = code_reader(TOKEN)

    assert next(code for code in map(read, range(1000)) if code.startswith("00")).isdigit()
    assert all(len(read(step)) == 6 for step in range(1000))


@pytest.mark.parametrize(
    ("seconds", "period", "step"),
    [(0, 30, 0), (29.999999, 30, 0), (30, 30, 1), (59.999999, 60, 0), (60, 60, 1), (-0.000001, 30, -1)],
)
def test_a_time_step_begins_on_the_second(seconds: float, period: int, step: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)

    assert Token(SEED, period=period).time_step(at) == step


def test_a_time_step_is_the_same_wherever_the_clock_hangs() -> None:
    assert TOKEN.time_step(NOON.astimezone(timezone(timedelta(hours=9)))) == TOKEN.time_step(NOON)


def test_every_matching_step_is_found_in_the_order_asked() -> None:
    step = TOKEN.time_step(NOON)

    assert matching_steps(TOKEN, TOKEN.code(step), [step + 1, step, step - 1, step]) == [step, step]


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "１２３４５６", "\ud800bcdef", " 12345"])
def test_what_is_no_code_matches_no_step(code: str) -> None:
    assert matching_steps(TOKEN, code, range(50)) == []


def test_steps_before_1970_show_no_code() -> None:
    assert matching_steps(TOKEN, TOKEN.code(0), range(-3, 2)) == [0]


def test_a_new_token_has_320_bits_which_are_64_base32_characters() -> None:
    token = Token.new(lambda count: bytes(range(count)))

    assert len(token.seed) == 40
    assert len(token.base32) == 64
    assert "=" not in token.base32
    assert (token.algorithm, token.period) == (Algorithm.SHA1, 30)


@given(token=tokens)
def test_a_token_survives_being_stored_and_being_written_down(token: Token) -> None:
    again = Token.from_bytes(token.to_bytes())
    typed = Token.from_base32(token.base32, algorithm=token.algorithm, period=token.period)

    assert again == typed == token


@given(token=tokens, account=st.text(min_size=1, max_size=30), issuer=st.text(min_size=1, max_size=30))
def test_a_token_survives_its_address(token: Token, account: str, issuer: str) -> None:
    assert Token.from_uri(token.uri(_encodable(account), issuer=_encodable(issuer))) == token


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


@pytest.mark.parametrize("data", [b"", b"\1\1", b"\2\1\x1e" + SEED, b"\1\x09\x1e" + SEED, b"\1\1\x1f" + SEED, b"\1\1\x1e"])
def test_bytes_that_are_no_stored_token_are_refused(data: bytes) -> None:
    with pytest.raises(UnusableToken):
        Token.from_bytes(data)


@pytest.mark.parametrize("text", ["mfrggzdfmztwq2lk", "MFRG GZDF-MZTW Q2LK", " mfrggzdf mztwq2lk\n", "MFRGGZDFMZTWQ2LK======"])
def test_a_seed_is_read_as_people_write_it(text: str) -> None:
    assert Token.from_base32(text).seed == b"abcdefghij"


@pytest.mark.parametrize("text", ["MFRGGZDFMZTWQ2L0", "MFRGGZDFMZTWQ2LK1", "MFRGGZDFM", "ＭＦＲＧＧＺＤＦ", "seed\0seed"])
def test_what_is_not_base32_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(UnusableToken) as refusal:
        Token.from_base32(text)

    assert "not base32" in str(refusal.value)
    assert text not in str(refusal.value)
    assert refusal.value.__suppress_context__


def test_a_seed_too_short_or_too_long_is_refused() -> None:
    with pytest.raises(UnusableToken, match="has 9"):
        Token(b"123456789")
    with pytest.raises(UnusableToken, match="has 257"):
        Token(bytes(257))
    with pytest.raises(UnusableToken, match="has 0"):
        Token.from_base32("")


def test_a_seed_longer_than_the_hash_s_block_works() -> None:
    seed = bytes(range(200))

    assert Token(seed).code(1) == Token(hashlib.sha1(seed).digest()).code(1)


def test_a_token_never_shows_its_seed() -> None:
    assert SEED.decode() not in repr(TOKEN)
    assert TOKEN.base32 not in repr(TOKEN)
    assert f"{TOKEN}" == "Token(SHA1, 30 s)"


def test_an_address_looks_as_aws_writes_it() -> None:
    address = TOKEN.uri("RichardsMFA@example", issuer="instep demo")

    assert address == f"otpauth://totp/instep%20demo:RichardsMFA@example?secret={TOKEN.base32}&issuer=instep%20demo"


def test_an_address_says_what_authenticator_apps_would_not_guess() -> None:
    query = parse_qs(urlsplit(Token(SEED, Algorithm.SHA256, 60).uri("a", issuer="b")).query)

    assert (query["algorithm"], query["period"]) == (["SHA256"], ["60"])


@pytest.mark.parametrize(
    ("address", "token"),
    [
        ("otpauth://totp/x?secret=MFRGGZDFMZTWQ2LK", Token(b"abcdefghij")),
        ("OTPAUTH://TOTP/x?SECRET=mfrggzdfmztwq2lk&DIGITS=6\n", Token(b"abcdefghij")),
        ("otpauth://totp/x?secret=MFRGGZDFMZTWQ2LK&algorithm=sha-256&period=60", Token(b"abcdefghij", Algorithm.SHA256, 60)),
        ("otpauth://totp/x?secret=MFRGGZDFMZTWQ2LK&algorithm=HmacSHA512&image=x", Token(b"abcdefghij", Algorithm.SHA512)),
    ],
)
def test_addresses_of_other_makers_are_read(address: str, token: Token) -> None:
    assert Token.from_uri(address) == token


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "not an otpauth address"),
        ("https://example.com/?secret=MFRGGZDFMZTWQ2LK", "not an otpauth address"),
        ("otpauth://[totp/x", "not an otpauth address"),
        ("otpauth://hotp/x?secret=MFRGGZDFMZTWQ2LK&counter=1", "HOTP"),
        ("otpauth://motp/x?secret=MFRGGZDFMZTWQ2LK", "not of the kind totp"),
        ("otpauth://totp/x", "no secret"),
        ("otpauth://totp/x?secret=", "no secret"),
        ("otpauth://totp/x?secret=MFRGGZDFMZTWQ2L0", "not base32"),
        ("otpauth://totp/x?secret=MFRGGZDFMZTWQ2LK&digits=8", "six digits"),
        ("otpauth://totp/x?secret=MFRGGZDFMZTWQ2LK&digits=７", "six digits"),
        ("otpauth://totp/x?secret=MFRGGZDFMZTWQ2LK&algorithm=MD5", "SHA1, SHA256 or SHA512"),
        ("otpauth://totp/x?secret=MFRGGZDFMZTWQ2LK&period=15", "30 or 60"),
        ("otpauth://totp/x?secret=MFRGGZDFMZTWQ2LK&period=", "30 or 60"),
    ],
)
def test_an_address_no_device_can_have_is_refused_with_the_reason(address: str, reason: str) -> None:
    with pytest.raises(UnusableToken, match=reason) as refusal:
        Token.from_uri(address)

    assert "MFRGG" not in str(refusal.value)


@pytest.mark.parametrize("digits", ["7", "8", "06", "", "six"])
def test_only_six_digits_are_taken(digits: str) -> None:
    check_digits("6")
    with pytest.raises(UnusableToken):
        check_digits(digits)


def test_algorithms_and_periods_are_read_as_vendors_write_them() -> None:
    assert read_algorithm("hmac-sha1") is Algorithm.SHA1
    assert read_algorithm("SHA_512") is Algorithm.SHA512
    assert read_period("60") == 60
    with pytest.raises(UnusableToken):
        read_period("030")
    with pytest.raises(UnusableToken):
        read_algorithm("")
