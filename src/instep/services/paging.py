"""Pages of lists: opaque markers, and how a page is cut.

Lists go on by key, never by offset, so that nothing is missed or seen twice.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from instep.api.common import ValidationError
from instep.services.operation import Call

DEFAULT_MAX_ITEMS = 100
_MAC_LENGTH = 16

T = TypeVar("T")


class Paged(Protocol):
    """The part of a request that asks for a page."""

    @property
    def marker(self) -> str | None: ...
    @property
    def max_items(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: list[T]
    is_truncated: bool
    marker: str | None


def after(call: Call, listing: str, request: Paged) -> str | None:
    """The key that the page begins after.  Raises ValidationError for a marker that was not given out for `listing`."""
    if request.marker is None:
        return None
    try:
        mac, _, key = base64.urlsafe_b64decode(request.marker.encode()).partition(b":")
        text = key.decode()
    except (binascii.Error, ValueError):
        raise ValidationError("Invalid Marker.") from None
    if not hmac.compare_digest(mac, _mac(call, listing, text)):
        raise ValidationError("Invalid Marker.")
    return text


def limit(request: Paged) -> int:
    """How many rows to read: one more than the page holds, which tells whether there are more."""
    return (request.max_items or DEFAULT_MAX_ITEMS) + 1


def page(call: Call, listing: str, request: Paged, rows: list[T], key: Callable[[T], str]) -> Page[T]:
    size = limit(request) - 1
    if len(rows) <= size:
        return Page(rows, False, None)
    last = key(rows[size - 1])
    marker = base64.urlsafe_b64encode(_mac(call, listing, last) + b":" + last.encode()).decode()
    return Page(rows[:size], True, marker)


def _mac(call: Call, listing: str, key: str) -> bytes:
    return call.vault.fingerprint(f"marker\0{call.account_id}\0{listing}\0{key}".encode())[:_MAC_LENGTH].encode()
