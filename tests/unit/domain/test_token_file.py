"""Token files, as vendors and spreadsheets write them."""

from __future__ import annotations

import base64

import pytest

from instep.domain import token_file
from instep.domain.token_file import Row
from instep.domain.totp import Algorithm, Token

SEED = b"12345678901234567890"
HEX = SEED.hex()
BASE32 = base64.b32encode(SEED).decode()
# 128 bits that are sixteen bytes in hexadecimal and twenty in base32.
EITHER = "23456723456723456723456723456723"


def only(text: str) -> Row:
    rows = token_file.read(text)
    assert len(rows) == 1
    return rows[0]


def token(text: str) -> Token:
    row = only(text)
    assert row.problem is None
    assert row.token is not None
    return row.token


def problem(text: str) -> str:
    """Of the last row, which nothing can be imported from and which shows no seed."""
    row = token_file.read(text)[-1]
    assert row.token is None
    assert row.problem is not None
    for seed in (HEX, BASE32, EITHER):
        assert seed[:8] not in repr(row)
    return row.problem


@pytest.mark.parametrize(
    "written",
    [
        HEX,
        "3132 3334 3536 3738 3930 3132 3334 3536 3738 3930",
        "31323334-35363738-39303132-33343536-37383930",
        f"hex:{HEX}",
        f"HEX:{HEX}",
        BASE32,
        BASE32.lower(),
        "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
        f"base32:{BASE32}",
        f"Base32:{BASE32}",
    ],
)
def test_a_seed_is_hexadecimal_or_base32(written: str) -> None:
    assert token(f"ABCD12345678,{written},TOTP,6,30") == Token(SEED)


def test_hexadecimal_is_read_in_either_case() -> None:
    seed = bytes(range(0xA0, 0xB4))

    assert token(f"ABCD12345678,{seed.hex()},TOTP,6,30") == token(f"ABCD12345678,{seed.hex().upper()},TOTP,6,30") == Token(seed)


def test_padding_may_stand_behind_base32() -> None:
    seed = b"sixteen bytes ok"

    assert token(f"ABCD12345678,{base64.b32encode(seed).decode()},TOTP,6,30") == Token(seed)


def test_a_seed_that_could_be_either_is_hexadecimal_unless_it_says_otherwise() -> None:
    assert token(f"ABCD12345678,{EITHER},TOTP,6,30").seed == bytes.fromhex(EITHER)
    assert token(f"ABCD12345678,hex:{EITHER},TOTP,6,30").seed == bytes.fromhex(EITHER)
    assert token(f"ABCD12345678,base32:{EITHER},TOTP,6,30").seed == base64.b32decode(EITHER + "=" * (-len(EITHER) % 8))


@pytest.mark.parametrize("written", [f"hex:{BASE32}", f"base64:{HEX}", f"base32:{HEX}0189", "nonsense!", HEX + "8", "é" * 32, ""])
def test_a_seed_in_another_form_is_refused(written: str) -> None:
    assert "seed" in problem(f"ABCD12345678,{written},TOTP,6,30").lower()


@pytest.mark.parametrize(
    ("column", "algorithm"),
    [
        ("", Algorithm.SHA1),
        (",SHA1", Algorithm.SHA1),
        (",sha256", Algorithm.SHA256),
        (",HmacSHA256", Algorithm.SHA256),
        (", SHA-512 ", Algorithm.SHA512),
    ],
)
def test_the_algorithm_is_sha1_unless_a_sixth_column_names_another(column: str, algorithm: Algorithm) -> None:
    assert token(f"ABCD12345678,{HEX},TOTP,6,60{column}") == Token(SEED, algorithm, 60)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"ABCD12345678,{HEX},TOTP,6,30,MD5", "The algorithm is SHA1, SHA256 or SHA512."),
        (f"ABCD12345678,{HEX},TOTP,6,90", "The period is 30 or 60 seconds."),
        (f"ABCD12345678,{HEX},TOTP,6,030", "The period is 30 or 60 seconds."),
        (f"ABCD12345678,{HEX},TOTP,8,30", "six digits"),
        (f"ABCD12345678,{HEX},TOTP,,30", "six digits"),
        (f"ABCD12345678,{HEX},HOTP,6,30", "the third column must be TOTP"),
        (f"ABCD12345678,{HEX},,6,30", "the third column must be TOTP"),
        (f"ABCD12345678,{HEX[:30]},TOTP,6,30", "the seed has 15 bytes, expected at least 16"),
        ("ABCD12345678,GEZDGNBVGY3TQOJQ,TOTP,6,30", "the seed has 10 bytes, expected at least 16"),
        (f"ABCD12345678,{HEX * 13},TOTP,6,30", "10 to 256 bytes"),
        (f"ABCD1234,{HEX},TOTP,6,30", "the serial number must be"),
        (f"ABCD 12345678,{HEX},TOTP,6,30", "the serial number must be"),
        (f"{'A' * 257},{HEX},TOTP,6,30", "the serial number must be"),
        (f"arn:aws:iam::123456789012:mfa/x,{HEX},TOTP,6,30", "no ARN"),
        (f"ARN:aws:x,{HEX},TOTP,6,30", "no ARN"),
        (f",{HEX},TOTP,6,30", "the serial number must be"),
        (f"ABCD12345678,{HEX},TOTP,6", "found 4 columns"),
        (f"ABCD12345678,{HEX},TOTP,6,30,SHA1,x", "found 7 columns"),
    ],
)
def test_a_row_that_makes_no_token_is_refused_with_the_reason(row: str, reason: str) -> None:
    assert reason in problem(row)


def test_columns_may_be_quoted_or_in_lower_case_or_have_space_around_them() -> None:
    assert token(f'"ABCD12345678","{HEX}","totp","6","30"') == Token(SEED)
    assert token(f" ABCD12345678 , {HEX} , Totp , 6 , 30 ") == Token(SEED)


def test_mark_header_comments_and_blank_lines_are_no_rows_but_count_as_lines() -> None:
    lines = (
        "\ufeff# delivered, in May; by courier",
        "",
        "Serial, Seed,Type,Digits,Period",
        ",,,,",
        f"ABCD12345678,{HEX},TOTP,6,30",
        " # end",
    )

    assert token_file.read("\r\n".join(lines)) == [Row(5, "ABCD12345678", Token(SEED), None)]


def test_a_mark_before_the_first_row_is_no_part_of_its_serial_number() -> None:
    assert only(f"\ufeffABCD12345678,{HEX},TOTP,6,30").serial_number == "ABCD12345678"


@pytest.mark.parametrize("text", ["", "\ufeff", "\n\n", "# nothing\n", "serial,seed,TOTP,digits,period\n"])
def test_a_file_may_hold_no_row(text: str) -> None:
    assert token_file.read(text) == []


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("beginning", ["", "\ufeff", "# a, b, c, d, e, f; g\n\n", "serial,seed,TOTP,digits,period\n"])
def test_the_first_line_tells_what_separates_the_columns(separator: str, beginning: str) -> None:
    header = beginning.replace(",", separator) if beginning.startswith("serial") else beginning
    row = separator.join(("ABCD12345678", HEX, "TOTP", "6", "30", "SHA256"))

    assert token(f"{header}{row}\n") == Token(SEED, Algorithm.SHA256)


def test_a_serial_number_may_have_commas_between_semicolons() -> None:
    row = only(f"ABCD,1234,5678;{HEX};TOTP;6;30")

    assert row.token == Token(SEED)
    assert row.serial_number == "ABCD,1234,5678"


@pytest.mark.parametrize("separator", ["|", " ", ":"])
def test_columns_separated_otherwise_are_refused_with_what_to_do(separator: str) -> None:
    reason = problem(separator.join(("ABCD12345678", HEX, "TOTP", "6", "30")))

    assert reason.startswith("found 1 column, expected serial,seed,TOTP,digits,period")
    assert "separate them by commas, semicolons or tabs" in reason


def test_one_file_has_one_separator() -> None:
    good, bad = token_file.read(f"ABCD12345678,{HEX},TOTP,6,30\nABCD12345679;{BASE32};TOTP;6;30\n")

    assert good.problem is None
    assert bad.serial_number == ""
    assert "the same in every row" in (bad.problem or "")


@pytest.mark.parametrize(
    "row", [f'"ABCD12345678,{HEX},TOTP,6,30', f'ABCD12345678,"{HEX}"x,TOTP,6,30', f"ABCD12345678,{HEX * 4000},TOTP,6,30"]
)
def test_a_row_that_is_no_csv_is_refused_and_the_others_are_read(row: str) -> None:
    rows = token_file.read(f"ABCD12345679,{BASE32},TOTP,6,30\n{row}")

    assert [one.problem is None for one in rows] == [True, False]
    assert "quotation marks" in problem(row)


def test_a_serial_number_stands_once_whatever_its_case() -> None:
    first, second = token_file.read(f"ABCD12345678,{HEX},TOTP,6,30\nabcd12345678,{'ff' * 20},TOTP,6,30\n")

    assert first.problem is None
    assert (second.serial_number, second.problem) == ("abcd12345678", "the same serial number stands in line 1")
    assert second.token is None


def test_a_seed_stands_once_however_it_is_written() -> None:
    rows = token_file.read(f"# two\nABCD12345678,{HEX},TOTP,6,30\nABCD12345679,{BASE32},TOTP,6,60,SHA256\n")

    assert [row.problem for row in rows] == [None, "the same seed stands in line 2"]


@pytest.mark.parametrize(
    "row",
    [
        f"{HEX},ABCD12345678,TOTP,6,30",
        f"{BASE32},ABCD12345678,TOTP,6,30",
        f"hex:{HEX},ABCD12345678,TOTP,6,30",
        f"31323334-35363738-39303132-33343536-37383930,{BASE32[:12]},TOTP,6,30",
        "GEZDGNBVGY3TQOJQ,ABCD12345678,TOTP,6,30",
        "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=,ABCD12345678,TOTP,6,30",
        f"ABCD12345678,TOTP,{HEX},6,30",
        f"ABCD12345678,{BASE32},TOTP,{HEX},30",
        f"ABCD12345678,{BASE32},TOTP,6,{HEX}",
        f"ABCD12345678,{'ff' * 20},TOTP,6,30,{HEX}",
        f"TOTP,{HEX},ABCD12345678,6,30",
        HEX,
    ],
)
def test_no_seed_is_shown_wherever_it_stands(row: str) -> None:
    assert problem(row)
    assert "GEZD" not in repr(only(row))
    assert "MTIz" not in repr(only(row))


def test_a_bad_row_shows_a_serial_number_that_cannot_be_a_seed() -> None:
    assert only(f"ABCD12345678,TOTP,{HEX},6,30").serial_number == "ABCD12345678"
    assert only("A-0123456789_B,nonsense!,TOTP,6,30").serial_number == "A-0123456789_B"


def test_a_good_row_shows_its_serial_number_however_long() -> None:
    serial_number = "0123456789ABCDEF0123456789ABCDEF"

    assert only(f"{serial_number},{HEX},TOTP,6,30").serial_number == serial_number
