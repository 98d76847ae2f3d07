"""Six-digit codes that follow the time (RFC 4226, RFC 6238), and finding where a device's clock stands from two of them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hmac import compare_digest
from struct import Struct
from typing import Protocol, Self
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from instep.api.errors import InvalidAuthenticationCode

DIGITS = 6
PERIODS = (30, 60)
SEED_BYTES = 40
SHORTEST_SEED, LONGEST_SEED = 10, 256

REFUSAL = "Authentication code for device is not valid."

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION = 1
# `[0-9]`, as `\d` would let full-width digits pass, and `\Z`, as `$` would let a newline.
_SIX_DIGITS = re.compile(r"[0-9]{6}\Z")
_NOT_IN_BASE32 = re.compile(r"[\s-]+")
_PACK_STEP = Struct(">Q").pack
_PACK_PAIR = Struct(">II").pack
_READ_WORD = Struct(">I").unpack_from
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
# So many time steps either way are looked at first: half an hour.
_FIRST_LOOK = 60
# Two codes no further apart than this (in time steps) were read off one device in one go, if not in the right way.
_SAME_SITTING = 20


class UnusableToken(ValueError):
    """A seed, an algorithm, a period or an address that no device of ours can have.  The sentence never repeats the seed."""


class Algorithm(StrEnum):
    """The hash beneath the code."""

    SHA1 = "SHA1"
    SHA256 = "SHA256"
    SHA512 = "SHA512"


_HASHES = {Algorithm.SHA1: hashlib.sha1, Algorithm.SHA256: hashlib.sha256, Algorithm.SHA512: hashlib.sha512}
_NUMBERS = {Algorithm.SHA1: 1, Algorithm.SHA256: 2, Algorithm.SHA512: 3}
_ALGORITHMS = {number: algorithm for algorithm, number in _NUMBERS.items()}


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """What a device and we both know.  `period` is in seconds.

    Raises UnusableToken for a seed under 80 bits or over 256 bytes and for a period other than 30 or 60.
    """

    seed: bytes
    algorithm: Algorithm = Algorithm.SHA1
    period: int = 30

    def __post_init__(self) -> None:
        if not SHORTEST_SEED <= len(self.seed) <= LONGEST_SEED:
            raise UnusableToken(f"A seed has {SHORTEST_SEED} to {LONGEST_SEED} bytes; this one has {len(self.seed)}.")
        if self.period not in PERIODS:
            raise UnusableToken(f"The period is 30 or 60 seconds, not {self.period}.")

    def __repr__(self) -> str:
        return f"Token({self.algorithm}, {self.period} s)"

    @classmethod
    def new(cls, random: Callable[[int], bytes]) -> Self:
        """A fresh one: 320 bits, so 64 base32 characters without padding, as AWS hands them out."""
        return cls(random(SEED_BYTES))

    @classmethod
    def from_base32(cls, text: str, *, algorithm: Algorithm = Algorithm.SHA1, period: int = 30) -> Self:
        """Reads a seed as people type it: either case, spaces and hyphens between, with or without padding."""
        letters = _NOT_IN_BASE32.sub("", text).rstrip("=").upper()
        try:
            seed = base64.b32decode(letters + "=" * (-len(letters) % 8))
        except (binascii.Error, ValueError):
            # `from None`: the cause quotes nothing today, and must not begin to.
            raise UnusableToken("The seed is not base32 (the letters A to Z and the digits 2 to 7).") from None
        return cls(seed, algorithm, period)

    @classmethod
    def from_uri(cls, uri: str) -> Self:
        """Reads an `otpauth://totp/…` address, as a QR code holds it (Key URI Format of the authenticator apps)."""
        try:
            parts = urlsplit(uri.strip())
            parameters = {name.lower(): values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        except ValueError:
            raise UnusableToken("This is not an otpauth address.") from None
        if parts.scheme.lower() != "otpauth":
            raise UnusableToken("This is not an otpauth address.")
        match parts.netloc.lower():
            case "totp":
                pass
            case "hotp":
                raise UnusableToken("This token counts presses (HOTP); only codes that follow the time (TOTP) are supported.")
            case _:
                raise UnusableToken("This otpauth address is not of the kind totp.")
        if not parameters.get("secret"):
            raise UnusableToken("This otpauth address has no secret.")
        check_digits(parameters.get("digits", "6"))
        return cls.from_base32(
            parameters["secret"],
            algorithm=read_algorithm(parameters.get("algorithm", Algorithm.SHA1)),
            period=read_period(parameters.get("period", "30")),
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The token that `to_bytes` wrote.  Raises UnusableToken for anything else."""
        if len(data) < 3 or data[0] != _VERSION or data[1] not in _ALGORITHMS:
            raise UnusableToken("This is not a stored token of a version known here.")
        return cls(data[3:], _ALGORITHMS[data[1]], data[2])

    def to_bytes(self) -> bytes:
        """Version, algorithm and period, a byte each, then the seed.  It is a secret: seal it before it goes anywhere."""
        return bytes((_VERSION, _NUMBERS[self.algorithm], self.period)) + self.seed

    @property
    def base32(self) -> str:
        """The seed as text, without padding."""
        return base64.b32encode(self.seed).decode("ascii").rstrip("=")

    def uri(self, account: str, *, issuer: str) -> str:
        """The address to put into a QR code.  What authenticator apps take for granted is left out, as some choke on it."""
        parameters = {"secret": self.base32, "issuer": issuer}
        if self.algorithm is not Algorithm.SHA1:
            parameters["algorithm"] = self.algorithm
        if self.period != 30:
            parameters["period"] = str(self.period)
        return f"otpauth://totp/{quote(issuer, safe='')}:{quote(account, safe='@')}?{urlencode(parameters, quote_via=quote)}"

    def time_step(self, at: datetime) -> int:
        """How many whole periods have passed since 1970 (RFC 6238 §4.2, T)."""
        return (at - _EPOCH) // timedelta(seconds=self.period)

    def code(self, step: int) -> str:
        """What the device shows in that time step."""
        return code_reader(self)(step)


def check_digits(text: str) -> None:
    """Raises UnusableToken unless codes have six digits."""
    if text != str(DIGITS):
        raise UnusableToken("Codes have six digits: the AWS protocol has no room for others.")


def read_algorithm(text: str) -> Algorithm:
    """SHA1, sha-256, HmacSHA512 …  Raises UnusableToken for any other."""
    name = text.upper().replace("-", "").replace("_", "").removeprefix("HMAC")
    try:
        return Algorithm(name)
    except ValueError:
        raise UnusableToken("The algorithm is SHA1, SHA256 or SHA512.") from None


def read_period(text: str) -> int:
    """Raises UnusableToken unless it is 30 or 60."""
    if text not in {str(period) for period in PERIODS}:
        raise UnusableToken("The period is 30 or 60 seconds.")
    return int(text)


def code_reader(token: Token) -> Callable[[int], str]:
    """From time step to code, for when several are wanted: the key is worked in only once."""
    values = _value_reader(token)
    return lambda step: f"{values((step,))[0]:06d}"


def matching_steps(token: Token, code: str, candidates: Iterable[int]) -> list[int]:
    """Those of `candidates` in which the device shows `code`, in their order.  Every one is compared, whatever matches."""
    steps = [step for step in candidates if step >= 0]
    shown = [f"{value:06d}".encode("ascii") for value in _value_reader(token)(steps)]
    # A code with other characters matches nothing, but takes as long to do so.
    wanted = code.encode("utf-8", "replace")
    return [step for step, other in zip(steps, shown, strict=True) if compare_digest(other, wanted)]


def resynchronize(
    token: Token, first: str, second: str, *, expected: int, within: range, refused: Callable[[int], bool] | None = None
) -> int:
    """The time step of the second of two consecutive codes, wherever the device's clock stands (RFC 6238 §6).

    `expected` is the step the device should show by what we know of it; `within`, the steps the second code may be of at all;
    `refused` tells of a step whether its code counts no longer.  The pair nearest to `expected` decides.
    Raises InvalidAuthenticationCode when no adjacent pair in there matches, or when one of its codes is refused (reason "spent").
    """
    if not (_SIX_DIGITS.match(first) and _SIX_DIGITS.match(second)) or first == second:
        raise InvalidAuthenticationCode(REFUSAL)
    matches = _matching_pairs(token, first, second, expected, within)
    step = next(matches, None)
    if step is None:
        raise InvalidAuthenticationCode(REFUSAL)
    if refused is not None and (refused(step - 1) or refused(step)):
        # The rest is looked at all the same: a refusal that comes early would tell how near the clock is.
        for _ in matches:
            pass
        raise InvalidAuthenticationCode(REFUSAL, reason=PairRefusal.SPENT)
    return step


class PairRefusal(StrEnum):
    """Why a pair was refused: for the audit trail, and for somebody who may resynchronize other people's devices."""

    REVERSED = "reversed"
    GAP = "gap"
    SPENT = "spent"
    BEYOND_WINDOW = "beyond-window"
    NO_MATCH = "no-match-in-7-days"
    WAITING = "waiting"


def explain_refused_pair(
    token: Token, first: str, second: str, *, within: range, wide: range, spent: Callable[[int], bool]
) -> PairRefusal:
    """Why `resynchronize` refused this pair, never WAITING, which only the counter of tries knows.

    `within` is what the search was allowed; `wide`, the days around the server's own step to look through now.  Costs a code for
    each step of `wide`, tens of thousands: call it where nobody waits for a lock.  One code found without the other is not told.
    """
    if not (_SIX_DIGITS.match(first) and _SIX_DIGITS.match(second)):
        return PairRefusal.NO_MATCH
    start = max(wide.start - 1, 0)
    one, two = int(first), int(second)
    # Plain comparison: whoever reads the answer is told where the codes were found anyway.
    values = _value_reader(token)(range(start, wide.stop))
    seconds = [start + index for index, value in enumerate(values) if value == two]
    apart = [later - (start + index) for index, value in enumerate(values) if value == one for later in seconds]
    pairs = [later for later in seconds if later > start and values[later - 1 - start] == one]
    if one != two and pairs:
        step = next((pair for pair in pairs if pair in within), pairs[0])
        # In reach, not spent and refused all the same: another request was quicker by a hair.
        return PairRefusal.SPENT if step in within or spent(step - 1) or spent(step) else PairRefusal.BEYOND_WINDOW
    if any(-_SAME_SITTING <= distance < 0 for distance in apart):
        return PairRefusal.REVERSED
    if any(0 <= distance <= _SAME_SITTING for distance in apart):
        return PairRefusal.GAP
    return PairRefusal.NO_MATCH


def _matching_pairs(token: Token, first: str, second: str, expected: int, within: range) -> Iterator[int]:
    """Every step of `within` at which the pair ends, nearest to `expected` first (of two as near, the one behind)."""
    start, stop = max(within.start, 1), within.stop
    if start >= stop:
        return
    read = _value_reader(token)
    wanted = _PACK_PAIR(int(first), int(second))
    centre = min(max(expected, start), stop - 1)
    near, far = 0, _FIRST_LOOK
    while centre + near < stop or centre - near > start:
        ahead = range(centre + near, min(centre + far, stop))
        behind = range(max(centre - far, start), centre - near)
        found = [*_pairs_ending_in(ahead, read, wanted), *_pairs_ending_in(behind, read, wanted)]
        yield from sorted(found, key=lambda step: (abs(step - centre), step))
        # Most clocks are minutes off, so the first look is a short one; the longer ones after it spread the cost of setting out.
        near, far = far, far * 2


def _pairs_ending_in(steps: range, read: _ValueReader, wanted: bytes) -> list[int]:
    if not steps:
        return []
    # Each code is worked out once, for the two pairs it is in.
    values = read(range(steps.start - 1, steps.stop))
    pairs = map(_PACK_PAIR, values, values[1:])
    return [step for step, pair in zip(steps, pairs, strict=True) if compare_digest(pair, wanted)]


class _ValueReader(Protocol):
    def __call__(self, steps: Sequence[int], /) -> list[int]: ...


class _Hash(Protocol):
    """The part of a hashlib object that is used here."""

    @property
    def block_size(self) -> int: ...
    def copy(self) -> Self: ...
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


def _value_reader(token: Token) -> _ValueReader:
    """From time steps to the numbers shown (RFC 4226 §5.3, truncated to six digits).

    HMAC is written out (RFC 2104): copying two keyed hash states costs less than half of what the one-shot `hmac.digest` does.
    """
    new: Callable[[bytes], _Hash] = _HASHES[token.algorithm]
    block = new(b"").block_size
    key = token.seed
    if len(key) > block:
        hashed = new(key)
        key = hashed.digest()
    key = key.ljust(block, b"\0")
    copy_inner = new(key.translate(_INNER)).copy
    copy_outer = new(key.translate(_OUTER)).copy

    def read(steps: Sequence[int], /) -> list[int]:
        macs = _digests(copy_outer, _digests(copy_inner, map(_PACK_STEP, steps)))
        return [(_READ_WORD(mac, mac[-1] & 15)[0] & 0x7FFFFFFF) % 1_000_000 for mac in macs]

    return read


def _digests(copy: Callable[[], _Hash], messages: Iterable[bytes]) -> list[bytes]:
    # This loop is where a wide search spends its time, so it calls nothing of ours.
    digests = []
    for message in messages:
        state = copy()
        state.update(message)
        digests.append(state.digest())
    return digests
