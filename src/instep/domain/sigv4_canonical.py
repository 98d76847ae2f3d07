"""The pieces of AWS Signature Version 4 that both sides work out alike: canonical path, query and headers, and the signing key.

Text is one character per byte (latin-1).  (IAM User Guide, "Create a signed AWS API request")
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote_to_bytes

from instep.api.common import SignatureDoesNotMatch

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)

_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]*")


def signing_key(secret: str, date: str, region: str, service: str, terminator: str) -> bytes:
    """The key that `secret` becomes within a credential scope."""
    key = b"AWS4" + secret.encode()
    for part in (date, region, service, terminator):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def by_name(headers: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """The values of each header, in the order received."""
    named: dict[str, list[str]] = {}
    for name, value in headers:
        named.setdefault(name, []).append(value)
    return named


def canonical_path(path: str) -> str:
    """The path without empty, "." and ".." segments, percent-encoded once more, as every service but S3 wants it."""
    if path in ("/", ""):
        return "/"
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    normalized = "/".join(("", *segments, "")) if path.endswith("/") and segments else "/" + "/".join(segments)
    return quote(normalized.encode("latin-1", "backslashreplace"), safe="/")


def canonical_query(query: str, *, presigned: bool) -> str:
    """All parameters in the order of their encoded names, then values; a presigned request leaves out its own signature."""
    if not query:
        return ""
    pairs = sorted([(canonical(name), canonical(value)) for name, value in raw_pairs(query)])
    return "&".join([f"{name}={value}" for name, value in pairs if not (presigned and name == "X-Amz-Signature")])


def raw_pairs(query: str) -> list[tuple[str, str]]:
    """Names and values in the order received, as they came; a name alone has an empty value."""
    pairs = []
    for parameter in query.split("&"):
        if parameter:
            name, _, value = parameter.partition("=")
            pairs.append((name, value))
    return pairs


def canonical(text: str) -> str:
    """A name or value of a query in the one encoding: %XX for each reserved byte, itself for an unreserved one."""
    return text if _UNRESERVED.fullmatch(text) else quote(decode(text), safe="")


def decode(text: str) -> bytes:
    """The bytes meant by a name or value of a query.

    A plus sign is a space, since it is one where parameters are read: what is signed is what is done.
    """
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1", "backslashreplace"))


def canonical_headers(names: Sequence[str], headers: Mapping[str, Sequence[str]]) -> str:
    """A line for each of `names`.  Raises SignatureDoesNotMatch for one that has not arrived, or stands twice."""
    # Without the count, a name repeated ten thousand times would have a long header copied as often.
    if len(set(names)) != len(names):
        raise SignatureDoesNotMatch(MISMATCH)
    lines = []
    for name in names:
        values = headers.get(name)
        if values is None:
            raise SignatureDoesNotMatch(MISMATCH)
        lines.append(f"{name}:{','.join(map(_trimmed, values))}\n")
    return "".join(lines)


def _trimmed(value: str) -> str:
    """Without spaces around it, and with single ones inside."""
    if value.isascii():
        return " ".join(value.split())
    # Bytes, for in text the byte A0 of "à" in UTF-8 passes for a space.
    return b" ".join(value.encode("latin-1", "backslashreplace").split()).decode("latin-1")
