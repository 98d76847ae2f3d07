"""What texts in conditions and requests stand for: numbers, moments, addresses, bytes.

Each reader gives None for a text that is none of its kind: a policy with such a text is refused when it is saved, a request's
value of that sort matches nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

# Longer ones are no numbers anybody meant, and would only cost time.
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})")
# Four digits alone are a year.
_EPOCH_SECONDS = re.compile(r"(?![0-9]{4}\Z)(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?")
# The forms of W3C's note on dates and times, also without hyphens and colons; times without a zone are UTC.
_DATE = re.compile(
    r"(?P<year>[0-9]{4})(?:(?P<dash>-?)(?P<month>[0-9]{2})(?:(?P=dash)(?P<day>[0-9]{2})"
    r"(?:[Tt ](?P<hour>[0-9]{2})(?P<colon>:?)(?P<minute>[0-9]{2})"
    r"(?:(?P=colon)(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<zone_hours>[0-9]{2}):?(?P<zone_minutes>[0-9]{2}))?)?)?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PREFIX = re.compile(r"[0-9]{1,3}")

Network = tuple[int, int, int]
"""IP version, first and last address."""


# The same address and moment are asked about by many statements of one request.
_remembered = lru_cache(maxsize=256)
# No date or address is longer; longer texts are not kept.
_LONGEST = 64


def number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def moment(text: str) -> int | None:
    """Nanoseconds since 1970 of a date in a form of ISO 8601, or of epoch seconds."""
    return _moment(text) if len(text) <= _LONGEST else None


@_remembered
def _moment(text: str) -> int | None:
    if seconds := _EPOCH_SECONDS.fullmatch(text):
        sign, whole, fraction = seconds.groups(default="")
        return int(f"{sign}{whole}{fraction:0<9}")
    date = _DATE.fullmatch(text)
    return _moment_of(date) if date else None


def _moment_of(date: re.Match[str]) -> int | None:
    sign, hours, minutes = date["sign"], int(date["zone_hours"] or 0), int(date["zone_minutes"] or 0)
    east = timedelta(hours=hours, minutes=minutes)
    try:
        whole = datetime(
            int(date["year"]),
            int(date["month"] or 1),
            int(date["day"] or 1),
            int(date["hour"] or 0),
            int(date["minute"] or 0),
            int(date["second"] or 0),
            tzinfo=timezone(-east if sign == "-" else east),
        )
    except ValueError:
        return None
    since = whole - _EPOCH
    return (since.days * 86400 + since.seconds) * 10**9 + int(f"{date['fraction'] or '':0<9}")


def network(text: str) -> Network | None:
    """An address or a range in CIDR form.  IPv4 addresses in IPv6's clothes are IPv4 addresses."""
    return _network(text) if len(text) <= _LONGEST else None


@_remembered
def _network(text: str) -> Network | None:
    _, slash, prefix = text.partition("/")
    # The library would read 10.0.0.0/255.0.0.0 and fe80::1%eth0, too.
    if "%" in text or (slash and not _PREFIX.fullmatch(prefix)):
        return None
    try:
        # Bits beyond the prefix are overlooked, as people write 203.0.113.5/24.
        found: IPv4Network | IPv6Network = ip_network(text, strict=False)
    except ValueError:
        return None
    first, last = int(found.network_address), int(found.broadcast_address)
    if found.version == 6 and first >> 32 == last >> 32 == 0xFFFF:
        return 4, first & 0xFFFFFFFF, last & 0xFFFFFFFF
    return found.version, first, last


def data(text: str) -> bytes | None:
    """The bytes that a base64 text stands for."""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
