"""`instep audit`: who did what, as the trail keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import click

from instep.app import Clock, Service
from instep.cli.folder import Folder, account_of, account_option, with_folder
from instep.cli.output import plain, print_table, table_option
from instep.domain.audit_event import AuditEvent
from instep.services.ports import Transaction

HEADINGS = ("TIME", "ACCOUNT", "WHO", "EVENT", "FROM", "RESULT")
SECONDS_BETWEEN_LOOKS = 1.0
# A successful read is written a moment after it happened, a write at once: new events turn up among older ones.
OVERLAP = timedelta(seconds=30)
_PAGE = 500


@click.command()
@account_option
@click.option("--follow", is_flag=True, help="Go on and show events as they come; Ctrl-C ends it.")
@click.option(
    "--limit", type=click.IntRange(0, 100_000), default=50, show_default=True, help="How many of the newest events to begin with."
)
@table_option
@with_folder
def audit(folder: Folder, account: str | None, follow: bool, limit: int, output: str) -> None:
    """Show the audit trail, oldest first: a table, or one CloudTrail record a line with --output json.

    Without --account it is everybody's.
    """
    with folder.service() as service:
        account_id = account_of(service, account).account_id if account else None
        tail = Tail(service, account_id)
        newest = tail.begin(limit)
        if not follow:
            _show(newest, output)
            return
        try:
            _follow(tail, newest, output, folder)
        except KeyboardInterrupt:
            return


def _follow(tail: Tail, newest: list[AuditEvent], output: str, folder: Folder) -> None:
    if output == "table":
        click.echo(_line(HEADINGS))
    while True:
        for kept in newest:
            click.echo(json.dumps(kept.event) if output == "json" else _line(_cells(kept)))
        folder.around.pause(SECONDS_BETWEEN_LOOKS)
        newest = tail.more()


class Tail:
    """Reads the trail's end, each event once, also one that is written later than a younger one."""

    def __init__(self, service: Service, account_id: str | None) -> None:
        self._service = service
        self._clock: Clock = service.clock
        self._account_id = account_id
        self._seen: dict[str, datetime] = {}

    def begin(self, limit: int) -> list[AuditEvent]:
        """The newest `limit` events; whatever else is there already counts as seen."""
        start = self._clock() - OVERLAP

        def look(tx: Transaction) -> tuple[list[AuditEvent], list[AuditEvent]]:
            newest = tx.audit_events.latest(self._account_id, limit=limit) if limit else []
            return newest, self._since(tx, min(start, newest[-1].at - OVERLAP) if newest else start)

        newest, there = self._service.store.read(look)
        self._seen = {kept.event_id: kept.at for kept in there}
        return newest

    def more(self) -> list[AuditEvent]:
        """Those that came since."""
        # From the clock as well: set back, it gives new events older times than those seen.
        start = min(self._clock(), max(self._seen.values(), default=self._clock())) - OVERLAP
        there = self._service.store.read(lambda tx: self._since(tx, start))
        fresh = [kept for kept in there if kept.event_id not in self._seen]
        self._seen = {kept.event_id: kept.at for kept in there}
        return fresh

    def _since(self, tx: Transaction, start: datetime) -> list[AuditEvent]:
        found: list[AuditEvent] = []
        after = (start, "")
        while True:
            page = tx.audit_events.page(self._account_id, after=after, limit=_PAGE)
            found += page
            if len(page) < _PAGE:
                return found
            after = (page[-1].at, page[-1].event_id)


def _show(events: Iterable[AuditEvent], output: str) -> None:
    if output == "table":
        print_table(HEADINGS, [_cells(kept) for kept in events])
        return
    for kept in events:
        click.echo(json.dumps(kept.event))


def _line(cells: Iterable[str]) -> str:
    """Columns that need not know what is still to come."""
    widths = (20, 12, 28, 32, 15, 0)
    return "  ".join(plain(cell).ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cells(kept: AuditEvent) -> tuple[str, ...]:
    event = kept.event
    return (
        str(event.get("eventTime", "")),
        kept.account_id,
        _who(event.get("userIdentity") or {}),
        f"{str(event.get('eventSource', '')).partition('.')[0]}:{event.get('eventName', '')}",
        str(event.get("sourceIPAddress", "")),
        _result(event),
    )


def _who(identity: dict[str, Any]) -> str:
    """`root`, `operator`, `user/Richard`."""
    return str(identity.get("arn", "")).rpartition(":")[2] or str(identity.get("type", ""))


def _result(event: Any) -> str:
    code = event.get("errorCode")
    if code is None:
        return "done"
    reason = (event.get("additionalEventData") or {}).get("reason")
    return f"{code} ({reason})" if reason else str(code)
