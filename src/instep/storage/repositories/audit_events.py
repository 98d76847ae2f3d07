"""The audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from instep.domain.audit_event import AuditEvent
from instep.storage.repositories.repository import Repository, insert_many
from instep.storage.schema import UTCTimestamp, audit_events

_when = (audit_events.c.at, audit_events.c.event_id)
_account_is = audit_events.c.account_id == sa.bindparam("account_id")
_is_after = sa.tuple_(*_when) > sa.tuple_(sa.bindparam("at", type_=UTCTimestamp), sa.bindparam("event_id", type_=sa.Text))

_ADD = insert_many(audit_events)
_OLDEST_FIRST = sa.select(audit_events).order_by(*_when).limit(sa.bindparam("limit"))
_NEWEST_FIRST = sa.select(audit_events).order_by(*(column.desc() for column in _when)).limit(sa.bindparam("limit"))
# Each question has a statement of its own, so that each is answered from its index.
_LISTS = {
    (one_account, goes_on): _OLDEST_FIRST.where(*([_account_is] if one_account else []), *([_is_after] if goes_on else []))
    for one_account in (True, False)
    for goes_on in (True, False)
}
_LATEST = {True: _NEWEST_FIRST.where(_account_is), False: _NEWEST_FIRST}
_OLD = (
    sa.select(audit_events.c.account_id, audit_events.c.event_id)
    .where(audit_events.c.at < sa.bindparam("before", type_=UTCTimestamp))
    .order_by(*_when)
    .limit(sa.bindparam("limit"))
)
_SWEEP = (
    sa.delete(audit_events)
    .where(sa.tuple_(audit_events.c.account_id, audit_events.c.event_id).in_(_OLD))
    .returning(audit_events.c.event_id)
)


class AuditEvents(Repository):
    __slots__ = ()

    def append(self, events: Sequence[AuditEvent]) -> None:
        """An event that is kept already is not kept twice."""
        rows = [{"account_id": one.account_id, "event_id": one.event_id, "at": one.at, "event": one.event} for one in events]
        if rows:
            self._connection.execute(_ADD, rows)

    def page(self, account_id: str | None, *, after: tuple[datetime, str] | None, limit: int) -> list[AuditEvent]:
        """Oldest first, strictly after the given time and event id."""
        parameters: dict[str, Any] = {"limit": limit}
        if account_id is not None:
            parameters["account_id"] = account_id
        if after is not None:
            parameters["at"], parameters["event_id"] = after
        statement = _LISTS[account_id is not None, after is not None]
        return [_event(row) for row in self._connection.execute(statement, parameters)]

    def latest(self, account_id: str | None, *, limit: int) -> list[AuditEvent]:
        """The newest `limit`, oldest of them first."""
        parameters: dict[str, Any] = {"limit": limit}
        if account_id is not None:
            parameters["account_id"] = account_id
        rows = self._connection.execute(_LATEST[account_id is not None], parameters).all()
        return [_event(row) for row in reversed(rows)]

    def sweep(self, *, before: datetime, limit: int) -> int:
        """Drop the oldest of those from before then.  How many went."""
        return len(self._connection.execute(_SWEEP, {"before": before, "limit": limit}).all())


def _event(row: sa.Row[Any]) -> AuditEvent:
    return AuditEvent(account_id=row.account_id, event_id=row.event_id, at=row.at, event=row.event)
