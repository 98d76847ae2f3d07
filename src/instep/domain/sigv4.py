"""AWS Signature Version 4, the server's half: what a request claims, whether it may claim it now, and whether it was signed so.

The four steps are apart because the key is looked up between them, and because AWS answers the first fault in this order: form
(`read_signature`), credential scope (`check_scope`), key and session token (the caller), clock (`check_time`), signature
(`check_signature`).  (IAM User Guide, "AWS Signature Version 4 for API requests" and "Troubleshoot Signature Version 4 signing")
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from instep.api.common import IncompleteSignature, MissingAuthenticationToken, RequestExpired, SignatureDoesNotMatch
from instep.domain.sigv4_canonical import (
    MISMATCH,
    by_name,
    canonical,
    canonical_headers,
    canonical_path,
    canonical_query,
    decode,
    raw_pairs,
    signing_key,
)

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
LONGEST_REGION = 64
CLOCK_TOLERANCE = timedelta(minutes=15)
LONGEST_EXPIRY = 604_800
"""Seconds: a presigned request lives a week at most."""

_HEADER_PARAMETERS = ("Credential", "Signature", "SignedHeaders")
_QUERY_PARAMETERS = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")
_ONCE = frozenset((*_QUERY_PARAMETERS, "X-Amz-Expires", "X-Amz-Security-Token"))
_LONGEST_ECHO = 2048

_BASIC_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)
# botocore writes the zone as -0000, browsers and RFC 9110 as GMT.
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, (\d\d?) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) (?:GMT|UTC|[+-]0000)", re.ASCII)
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: n for n, name in enumerate(_MONTH_NAMES, start=1)}
_SECONDS = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True, repr=False)
class HTTPRequest:
    """A request as received: `path` and `query` still percent-encoded, `query` without its question mark.

    Text is one character per byte (latin-1), as WSGI hands it on; header names are in lower case.  It has no repr, since bodies
    bring codes and passwords.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Signature:
    """What a request says of its own signature; nothing of it is verified yet.

    `date`, `region`, `service` and `terminator` are the credential scope; `timestamp` is when it was signed, to the second.
    `expires` is set for presigned requests alone: how long after `timestamp` they are good.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: datetime
    session_token: str | None
    expires: timedelta | None


def read_signature(request: HTTPRequest) -> Signature:
    """The signature in the request's Authorization header, or in its query string if it is presigned.

    Raises MissingAuthenticationToken when there is none, IncompleteSignature when it cannot be read, and SignatureDoesNotMatch
    when it leaves out a header that has to be signed or when there are two of it.
    """
    headers = by_name(request.headers)
    authorization = _value(headers, "authorization")
    presigned = _presigned_parameters(request.query)
    if authorization:
        if "X-Amz-Algorithm" in presigned:
            raise SignatureDoesNotMatch(
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
            )
        return _read_header(authorization, headers)
    if presigned.keys().isdisjoint(_QUERY_PARAMETERS):
        raise MissingAuthenticationToken("Request is missing Authentication Token")
    return _read_query(presigned, headers)


def check_scope(signature: Signature, services: Collection[str]) -> None:
    """Refuses a wrong credential scope, with a sentence for each fault.

    Any region will do, as a client of a custom endpoint names its own, but no longer one than a region could be: it is kept with
    the access key and in the audit trail.

    Raises SignatureDoesNotMatch.
    """
    faults = ""
    if not 1 <= len(signature.region) <= LONGEST_REGION:
        faults += "Credential should be scoped to a valid region. "
    if signature.service not in services:
        faults += f"Credential should be scoped to correct service: {', '.join(map(repr, services))}. "
    if signature.terminator != TERMINATOR:
        faults += f"Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{_echo(signature.terminator)}'. "
    signed_at = _basic(signature.timestamp)
    if signature.date != signed_at[:8]:
        faults += (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{_echo(signature.date)}' != '{signed_at[:8]}', from '{signed_at}'."
        )
    if faults:
        raise SignatureDoesNotMatch(faults)


def check_time(signature: Signature, now: datetime) -> None:
    """Refuses what was signed more than a quarter of an hour from `now`, or presigned for a time that has passed.

    Raises SignatureDoesNotMatch, and RequestExpired for a presigned request past its time.
    """
    now = now.astimezone(UTC).replace(microsecond=0)
    # Differences, since a sum could leave the calendar: anybody may send a timestamp of the year 9999.
    age = now - signature.timestamp
    if age < -CLOCK_TOLERANCE:
        raise SignatureDoesNotMatch(
            f"Signature not yet current: {_basic(signature.timestamp)} is still later than "
            f"{_basic(now + CLOCK_TOLERANCE)} ({_basic(now)} + 15 min.)"
        )
    if signature.expires is not None:
        if age > signature.expires:
            raise RequestExpired("Request has expired.")
    elif age > CLOCK_TOLERANCE:
        raise SignatureDoesNotMatch(
            f"Signature expired: {_basic(signature.timestamp)} is now earlier than "
            f"{_basic(now - CLOCK_TOLERANCE)} ({_basic(now)} - 15 min.)"
        )


def check_signature(signature: Signature, request: HTTPRequest, secret: str) -> None:
    """Raises SignatureDoesNotMatch unless `request`, as received, was signed with `secret`."""
    check_signed_with(scoped_key(signature, secret), signature, request)


def scoped_key(signature: Signature, secret: str) -> bytes:
    """What `secret` becomes for a day, region and service; it opens nothing beyond them."""
    return signing_key(secret, signature.date, signature.region, signature.service, signature.terminator)


def check_signed_with(key: bytes, signature: Signature, request: HTTPRequest) -> None:
    """The same with a `scoped_key` that is known already."""
    scope = f"{signature.date}/{signature.region}/{signature.service}/{signature.terminator}"
    digest = sha256(canonical_request(request, signature)).hexdigest()
    to_sign = f"{ALGORITHM}\n{_basic(signature.timestamp)}\n{scope}\n{digest}"
    expected = hmac.digest(key, to_sign.encode(), "sha256").hex()
    # As bytes, for compare_digest refuses text beyond ASCII with a TypeError.
    if not hmac.compare_digest(expected.encode(), signature.signature.encode("utf-8", "replace")):
        raise SignatureDoesNotMatch(MISMATCH)


def canonical_request(request: HTTPRequest, signature: Signature) -> bytes:
    """The one form of `request` that both sides sign.

    The body's hash is always worked out here: neither service takes a body whose sender calls it UNSIGNED-PAYLOAD.

    Raises SignatureDoesNotMatch when a header that was signed has not arrived.
    """
    return "\n".join(
        (
            request.method,
            canonical_path(request.path),
            canonical_query(request.query, presigned=signature.expires is not None),
            canonical_headers(signature.signed_headers, by_name(request.headers)),
            ";".join(signature.signed_headers),
            sha256(request.body).hexdigest(),
        )
    ).encode("latin-1", "backslashreplace")


# Reading


def _read_header(authorization: str, headers: Mapping[str, Sequence[str]]) -> Signature:
    algorithm, *parameters = authorization.replace(",", " ").split() or [""]
    if algorithm != ALGORITHM:
        raise IncompleteSignature(f"Unsupported AWS 'algorithm': '{_echo(algorithm)}'")
    given: dict[str, str] = {}
    for parameter in parameters:
        name, equals, value = parameter.partition("=")
        if not equals:
            raise IncompleteSignature(
                f"'{_echo(parameter)}' not a valid key=value pair (missing equal-sign) "
                f"in Authorization header: '{_echo(authorization)}'."
            )
        if name in given:
            raise IncompleteSignature(
                f"Authorization header must not repeat the '{_echo(name)}' parameter. Authorization={_echo(authorization)}"
            )
        given[name] = value
    amz_date, date = _value(headers, "x-amz-date"), _value(headers, "date")
    faults = [f"Authorization header requires '{name}' parameter." for name in _HEADER_PARAMETERS if name not in given]
    if not amz_date and not date:
        faults.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if faults:
        raise IncompleteSignature(f"{' '.join(faults)} Authorization={_echo(authorization)}")
    timestamp = _timestamp(amz_date) if amz_date else _timestamp(date, http_date=True)
    return _signature(
        given["Credential"],
        given["SignedHeaders"],
        given["Signature"],
        timestamp,
        session_token=_value(headers, "x-amz-security-token"),
        expires=None,
        headers=headers,
    )


def _read_query(parameters: Mapping[str, Sequence[str]], headers: Mapping[str, Sequence[str]]) -> Signature:
    faults = [
        f"AWS query-string parameters must include '{name}'."
        for name in _QUERY_PARAMETERS
        # An empty list of headers is there, but lacks the host: that sentence says more.
        if name not in parameters or not (parameters[name][0] or name == "X-Amz-SignedHeaders")
    ]
    faults += [f"AWS query-string parameters must not repeat '{n}'." for n, v in parameters.items() if n in _ONCE and len(v) > 1]
    if faults:
        raise IncompleteSignature(f"{' '.join(faults)} Re-examine the query-string parameters.")
    given = {name: values[0] for name, values in parameters.items()}
    if given["X-Amz-Algorithm"] != ALGORITHM:
        raise IncompleteSignature(f"Unsupported AWS 'algorithm': '{_echo(given['X-Amz-Algorithm'])}'")
    timestamp = _timestamp(given["X-Amz-Date"])
    expires = CLOCK_TOLERANCE
    if "X-Amz-Expires" in given:
        seconds = given["X-Amz-Expires"]
        if not _SECONDS.fullmatch(seconds) or not 1 <= int(seconds) <= LONGEST_EXPIRY:
            raise IncompleteSignature(
                f"AWS query-string parameter 'X-Amz-Expires' must be a number of seconds from 1 to {LONGEST_EXPIRY}, "
                f"got '{_echo(seconds)}'. Re-examine the query-string parameters."
            )
        expires = timedelta(seconds=int(seconds))
    return _signature(
        given["X-Amz-Credential"],
        given["X-Amz-SignedHeaders"],
        given["X-Amz-Signature"],
        timestamp,
        session_token=given.get("X-Amz-Security-Token") or _value(headers, "x-amz-security-token"),
        expires=expires,
        headers=headers,
    )


def _signature(
    credential: str,
    signed_headers: str,
    signature: str,
    timestamp: datetime,
    *,
    session_token: str,
    expires: timedelta | None,
    headers: Mapping[str, Sequence[str]],
) -> Signature:
    names = tuple(signed_headers.split(";"))
    if "host" not in names:
        raise SignatureDoesNotMatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    # AWS asks for every x-amz- header to be signed: they steer the request, so nobody may add one on the way.
    for name in headers:
        if name.startswith("x-amz-") and name not in names:
            raise SignatureDoesNotMatch(f"'{_echo(name)}' must be a 'SignedHeader' in the AWS Authorization.")
    scope = credential.split("/")
    # The key's id goes into a database, and not every one takes a NUL.
    if len(scope) != 5 or not (credential.isascii() and credential.isprintable()):
        raise IncompleteSignature(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{_echo(credential)}'"
        )
    access_key_id, date, region, service, terminator = scope
    return Signature(
        access_key_id=access_key_id,
        date=date,
        region=region,
        service=service,
        terminator=terminator,
        signed_headers=names,
        signature=signature,
        timestamp=timestamp,
        session_token=session_token or None,
        expires=expires,
    )


def _presigned_parameters(query: str) -> dict[str, list[str]]:
    """The query's X-Amz-… parameters, decoded."""
    parameters: dict[str, list[str]] = {}
    for name, value in raw_pairs(query):
        if (decoded := canonical(name)).startswith("X-Amz-"):
            parameters.setdefault(decoded, []).append(decode(value).decode("utf-8", "replace"))
    return parameters


def _value(headers: Mapping[str, Sequence[str]], name: str) -> str:
    """Empty when there is none.  A repeated header reads as it is signed, joined by commas: neither value counts alone."""
    values = headers.get(name)
    return ",".join(values).strip() if values else ""


def _timestamp(text: str, *, http_date: bool = False) -> datetime:
    """Raises IncompleteSignature unless `text` is a date in ISO 8601's basic format or, if `http_date`, in that of HTTP."""
    try:
        if basic := _BASIC_DATE.fullmatch(text):
            return datetime(*map(int, basic.groups()), tzinfo=UTC)  # type: ignore[misc,arg-type]  # six numbers, by the pattern
        if http_date and (match := _HTTP_DATE.fullmatch(text)):
            day, month, year, hour, minute, second = match.groups()
            return datetime(int(year), _MONTHS.get(month, 0), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        pass  # The 31st of February: told as any other text that is no date.
    raise IncompleteSignature(
        f"Date must be in ISO-8601 'basic format'. Got '{_echo(text)}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )


def _basic(at: datetime) -> str:
    """ISO 8601's basic format.  (strftime takes twice as long, and writes the year 33 with two digits.)"""
    return f"{at.year:04}{at.month:02}{at.day:02}T{at.hour:02}{at.minute:02}{at.second:02}Z"


def _echo(text: str) -> str:
    """What a client sent, fit for an error message: of bearable length and without characters that XML cannot carry."""
    shown = text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}..."
    return shown if shown.isprintable() else "".join(character if character.isprintable() else "?" for character in shown)
