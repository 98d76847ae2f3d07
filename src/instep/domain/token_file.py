"""Files of hardware tokens: `serial,seed,TOTP,digits,period` and, where it is not SHA1, a sixth column with the algorithm.

Commas, semicolons or tabs may stand between the columns.  In a file that is not as it should be any cell may hold a seed: no
problem quotes one.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from instep.domain.totp import Token, UnusableToken, check_digits, read_algorithm, read_period

_HEADER = ("serial", "seed")
_SEPARATORS = (",", ";", "\t")
# What the wire's SerialNumber takes; an ARN would pass for a virtual device's.
_SERIAL_NUMBER = re.compile(r"[\w+=/:,.@-]{9,256}", re.ASCII)
# Shorter than any seed however it is written: 80 bits are 16 characters of base32.
_NO_SEED = re.compile(r"[\w+=/:,.@-]{9,15}", re.ASCII)
# RFC 4226 section 4, R6: at least 128 bits.
_SHORTEST_SEED = 16
_HEXADECIMAL = re.compile(r"([0-9A-Fa-f]{2})+")

Key = TypeVar("Key")


class BadRow(ValueError):
    """What is wrong with one row; never quotes a cell."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file: `problem` is None when the token can be imported.

    `serial_number` is empty in a bad row whose first cell might be a seed.
    """

    line: int
    serial_number: str
    token: Token | None = field(repr=False)
    problem: str | None


def read(text: str) -> list[Row]:
    """Every row that is not blank, a comment (#) or the header; a serial number or seed seen earlier in the file is a problem."""
    rows: list[Row] = []
    serials: dict[str, int] = {}
    seeds: dict[bytes, int] = {}
    for line, cells in _cells(text.removeprefix("\ufeff").splitlines()):
        token, problem = None, None
        try:
            token = _token(cells)
            _once(serials, cells[0].casefold(), line, "serial number")
            _once(seeds, token.seed, line, "seed")
        except (BadRow, UnusableToken) as bad:
            problem = str(bad)
        # A row read to its end has its columns in their places.
        serial_number = cells[0] if token is not None or (cells and _NO_SEED.fullmatch(cells[0])) else ""
        rows.append(Row(line, serial_number, token if problem is None else None, problem))
    return rows


def _cells(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row; no cells for one that is no CSV."""
    reader = csv.reader(lines, delimiter=_separator(lines), strict=True)
    while True:
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            yield reader.line_num, []
            continue
        if not any(cells) or cells[0].startswith("#"):
            continue
        if tuple(cell.lower() for cell in cells[:2]) == _HEADER:
            continue
        yield reader.line_num, cells


def _separator(lines: list[str]) -> str:
    """What the first line that is neither blank nor a comment has most of."""
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    return max(_SEPARATORS, key=first.count)


def _token(cells: list[str]) -> Token:
    if not cells:
        raise BadRow("the quotation marks do not match, or the row is far too long")
    if len(cells) not in (5, 6):
        found = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
        raise BadRow(
            f"found {found}, expected serial,seed,TOTP,digits,period and, where it is not SHA1, the algorithm;"
            " separate them by commas, semicolons or tabs, the same in every row"
        )
    serial_number, seed, kind, digits, period = cells[:5]
    if not _SERIAL_NUMBER.fullmatch(serial_number) or serial_number.lower().startswith("arn:"):
        raise BadRow("the serial number must be 9 to 256 letters, digits or _+=/:,.@- and no ARN")
    if kind.upper() != "TOTP":
        raise BadRow("the third column must be TOTP: only tokens that follow the time can be kept in step")
    check_digits(digits)
    token = _seeded(seed, algorithm=cells[5] if len(cells) == 6 else "SHA1", period=period)
    if len(token.seed) < _SHORTEST_SEED:
        raise BadRow(f"the seed has {len(token.seed)} bytes, expected at least {_SHORTEST_SEED}")
    return token


def _seeded(text: str, *, algorithm: str, period: str) -> Token:
    """Hexadecimal if it can be, else base32; `hex:` or `base32:` in front settles it for a seed that could be either."""
    form, _, rest = text.partition(":")
    form, letters = (form.lower(), rest) if rest else ("", text)
    if form not in ("", "hex", "base32"):
        raise BadRow("the seed is neither hexadecimal nor base32")
    bare = letters.replace(" ", "").replace("-", "")
    if form != "base32" and _HEXADECIMAL.fullmatch(bare):
        return Token(bytes.fromhex(bare), read_algorithm(algorithm), read_period(period))
    if form == "hex":
        raise BadRow("the seed is not hexadecimal")
    return Token.from_base32(letters, algorithm=read_algorithm(algorithm), period=read_period(period))


def _once(seen: dict[Key, int], key: Key, line: int, what: str) -> None:
    earlier = seen.setdefault(key, line)
    if earlier != line:
        raise BadRow(f"the same {what} stands in line {earlier}")
