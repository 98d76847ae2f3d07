"""What the audit trail writes a moment later: successful reads and last uses of keys, in batches by one thread."""

from __future__ import annotations

import threading
from collections import Counter, deque
from datetime import datetime, timedelta
from itertools import islice

import structlog

from instep.domain.audit_event import AuditEvent
from instep.domain.identity import KeyUse
from instep.services.faults import Conflict, Fault
from instep.services.ports import Store, Transaction

_BATCH = 1000
_SECONDS_BETWEEN_BATCHES = 0.5
_BETWEEN_STRANGERS = timedelta(seconds=10)


class Trail:
    """Keeps events until they are written, at most `length` of them; `patience` is how long a caller waits for room.

    `start` begins the writing thread; without it, `flush` writes what is waiting.
    """

    def __init__(self, store: Store, *, length: int, patience: timedelta) -> None:
        self._store = store
        self._length = length
        self._patience = patience.total_seconds()
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._events: deque[AuditEvent] = deque()
        self._uses: dict[str, KeyUse] = {}
        self._strangers: Counter[str] = Counter()
        self._strangers_told: datetime | None = None
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._log = structlog.get_logger("instep.audit")

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is waiting, and end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def later(self, event: AuditEvent) -> None:
        """Raises Fault when the queue stays full: a read that cannot be accounted for is not answered."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._events) < self._length, self._patience):
                raise Fault("The audit trail cannot be written quickly enough; see the log for what stops it, then try again.")
            self._events.append(event)
            self._changed.notify_all()

    def used(self, access_key_id: str, use: KeyUse) -> None:
        with self._changed:
            self._uses[access_key_id] = use

    def stranger(self, code: str, now: datetime) -> None:
        with self._changed:
            self._strangers[code] += 1
            if self._strangers_told is not None and now - self._strangers_told < _BETWEEN_STRANGERS:
                return
            self._strangers_told = now
            refused, self._strangers = dict(self._strangers), Counter()
        self._log.info("strangers refused", **{f"refused_{name}": count for name, count in refused.items()})

    def flush(self) -> None:
        """Write everything that waits now.  What cannot be written goes on waiting; raises Conflict or Fault."""
        with self._writing:
            while True:
                with self._changed:
                    events = list(islice(self._events, _BATCH))
                    uses, self._uses = self._uses, {}
                if not events and not uses:
                    return
                self._write(events, uses)
                with self._changed:
                    for _ in events:
                        self._events.popleft()
                    self._changed.notify_all()

    def _write(self, events: list[AuditEvent], uses: dict[str, KeyUse]) -> None:
        def work(tx: Transaction) -> None:
            tx.audit_events.append(events)
            tx.access_keys.record_use(uses)

        try:
            self._store.write(work)
        except BaseException:
            with self._changed:
                self._uses = {**uses, **self._uses}
            raise

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._events or self._uses, timeout=None)
                # A moment for others to join: one durable commit then serves them all.
                self._changed.wait_for(lambda: self._stopping, _SECONDS_BETWEEN_BATCHES)
                if self._stopping:
                    return
            try:
                self.flush()
            except (Conflict, Fault) as error:
                self._log.error("audit events wait to be written", error=str(error))
