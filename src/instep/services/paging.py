"""Pages of lists: opaque markers, and how a page is cut.

Lists go on by key, never by offset, so that nothing is missed or seen twice.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from instep.api.common import ValidationError
from instep.api.iam import Tag
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
    mac, key = request.marker[:_MAC_LENGTH], request.marker[_MAC_LENGTH:]
    if not hmac.compare_digest(mac.encode(), _mac(call, listing, key).encode()):
        raise ValidationError("Invalid Marker.")
    return key


def limit(request: Paged) -> int:
    """How many rows to read: one more than the page holds, which tells whether there are more."""
    return (request.max_items or DEFAULT_MAX_ITEMS) + 1


def tag_page(call: Call, listing: str, request: Paged, tags: Sequence[Tag]) -> Page[Tag]:
    """Of the few tags that one thing has.  A marker cannot hold their keys as they are, so it holds what is made of them."""

    def handle(tag: Tag) -> str:
        return _mac(call, listing, tag.key)

    last, rows = after(call, listing, request), list(tags)
    if last is not None:
        handles = [handle(tag) for tag in rows]
        if last not in handles:
            # Removed since.
            raise ValidationError("Invalid Marker.")
        rows = rows[handles.index(last) + 1 :]
    return page(call, listing, request, rows, handle)


def page(call: Call, listing: str, request: Paged, rows: list[T], key: Callable[[T], str]) -> Page[T]:
    size = limit(request) - 1
    if len(rows) <= size:
        return Page(rows, False, None)
    last = key(rows[size - 1])
    return Page(rows[:size], True, marker(call, listing, last))


def marker(call: Call, listing: str, key: str) -> str:
    """What `after` takes for `key`."""
    # Plain, as it must fit the model's 320 characters and a serial number has up to 256.
    return _mac(call, listing, key) + key


def _mac(call: Call, listing: str, key: str) -> str:
    return call.vault.fingerprint(f"marker\0{call.account_id}\0{listing}\0{key}".encode())[:_MAC_LENGTH]
