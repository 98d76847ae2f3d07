"""The audit trail: each event once, in the order of time, and swept from its old end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from instep.domain.audit_event import AuditEvent
from instep.storage.transaction import Store
from tests.storage.repositories.builders import ACCOUNT, MS, NOON, OTHER_ACCOUNT, event

# In pairs of the same time, of which one each is another account's.
EVENTS = [event(number, ACCOUNT if number % 3 else OTHER_ACCOUNT, at=NOON + number // 2 * MS) for number in range(12)]
OURS = [one for one in EVENTS if one.account_id == ACCOUNT]


@pytest.fixture
def trail(store: Store) -> Store:
    store.write(lambda tx: tx.audit_events.append(EVENTS[6:]))
    store.write(lambda tx: tx.audit_events.append(EVENTS[:6]))
    return store


def page(store: Store, account_id: str | None, last: AuditEvent | None, limit: int) -> list[AuditEvent]:
    after = None if last is None else (last.at, last.event_id)
    return store.read(lambda tx: tx.audit_events.page(account_id, after=after, limit=limit))


@pytest.mark.parametrize(("account_id", "expected"), [(None, EVENTS), (ACCOUNT, OURS)], ids=["all", "one account"])
def test_pages_hold_every_event_once_oldest_first(trail: Store, account_id: str | None, expected: list[AuditEvent]) -> None:
    for size in (1, 2, 3, 5, 100):
        seen: list[AuditEvent] = []
        while found := page(trail, account_id, seen[-1] if seen else None, size):
            assert len(found) <= size
            seen += found
        assert seen == expected


@pytest.mark.parametrize(("account_id", "expected"), [(None, EVENTS), (ACCOUNT, OURS)], ids=["all", "one account"])
def test_the_newest_come_oldest_of_them_first(trail: Store, account_id: str | None, expected: list[AuditEvent]) -> None:
    for size in (1, 3, 100):
        assert trail.read(lambda tx, size=size: tx.audit_events.latest(account_id, limit=size)) == expected[-size:]  # type: ignore[misc]


def test_an_event_is_kept_once_and_as_it_was_first(trail: Store) -> None:
    again = replace(EVENTS[3], event={"eventName": "Another"}, at=NOON + 99 * MS)

    trail.write(lambda tx: tx.audit_events.append([again, event(50), again]))
    trail.write(lambda tx: tx.audit_events.append([]))

    assert page(trail, None, None, 100) == [*EVENTS, event(50)]


def test_an_event_of_an_account_that_never_came_to_be_is_kept(store: Store) -> None:
    refused = event(1, "999999999999", event={"errorCode": "EntityAlreadyExists", "nested": {"list": [1, None, "名"]}})

    store.write(lambda tx: tx.audit_events.append([refused]))

    assert page(store, "999999999999", None, 10) == [refused]


def test_the_oldest_are_swept_first_and_the_retained_stay(trail: Store) -> None:
    before = EVENTS[5].at

    assert [trail.write(lambda tx: tx.audit_events.sweep(before=before, limit=3)) for _ in range(3)] == [3, 1, 0]

    assert page(trail, None, None, 100) == EVENTS[4:]
