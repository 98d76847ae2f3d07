"""What the audit trail writes a moment later: successful reads and last uses of keys, in batches by one thread."""

from __future__ import annotations

import threading
from collections import Counter, deque
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from itertools import islice

import structlog

from instep.domain.audit_event import AuditEvent
from instep.domain.identity import KeyUse, RoleUse
from instep.services.faults import Conflict, Fault
from instep.services.ports import Store, Transaction

_BATCH = 1000
_SECONDS_BETWEEN_BATCHES = 0.5
_NOT_IN_TURNS = nullcontext()
_BETWEEN_STRANGERS = timedelta(seconds=10)


class Trail:
    """Keeps events until they are written, at most `length` of them; `patience` is how long a caller waits for room.

    `start` begins the writing thread; without it, `flush` writes what is waiting.
    """

    def __init__(
        self, store: Store, *, length: int, patience: timedelta, aside: AbstractContextManager[None] = _NOT_IN_TURNS
    ) -> None:
        self._store = store
        self._length = length
        self._patience = patience.total_seconds()
        self._aside = aside
        lock = threading.Lock()
        # Apart, so that no request wakes the writing thread from its pause between two batches.
        self._filled, self._emptied = threading.Condition(lock), threading.Condition(lock)
        self._stopping = threading.Event()
        self._writing = threading.Lock()
        self._events: deque[AuditEvent] = deque()
        self._uses: dict[str, KeyUse] = {}
        self._role_uses: dict[tuple[str, str], RoleUse] = {}
        self._strangers: Counter[str] = Counter()
        self._strangers_told: datetime | None = None
        self._thread: threading.Thread | None = None
        self._log = structlog.get_logger("instep.audit")

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is waiting, and end the thread."""
        with self._filled:
            self._stopping.set()
            self._filled.notify()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def later(self, event: AuditEvent) -> None:
        """Raises Fault when the queue stays full: a read that cannot be accounted for is not answered."""
        with self._filled:
            if len(self._events) < self._length:
                self._append(event)
                return
        # Aside first, the lock second: whoever took the turn back with the lock in hand would wait for one who has it and wants
        # the lock.
        with self._aside, self._filled:
            if not self._emptied.wait_for(lambda: len(self._events) < self._length, self._patience):
                raise Fault("The audit trail cannot be written quickly enough; see the log for what stops it, then try again.")
            self._append(event)

    def _append(self, event: AuditEvent) -> None:
        self._events.append(event)
        self._filled.notify()

    def used(self, access_key_id: str, use: KeyUse) -> None:
        with self._filled:
            self._uses[access_key_id] = use
            self._filled.notify()

    def role_used(self, account_id: str, role_id: str, use: RoleUse) -> None:
        with self._filled:
            self._role_uses[account_id, role_id] = use
            self._filled.notify()

    def stranger(self, code: str, now: datetime) -> None:
        with self._filled:
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
                with self._filled:
                    events = list(islice(self._events, _BATCH))
                    uses, self._uses = self._uses, {}
                    role_uses, self._role_uses = self._role_uses, {}
                if not events and not uses and not role_uses:
                    return
                self._write(events, uses, role_uses)
                with self._emptied:
                    for _ in events:
                        self._events.popleft()
                    self._emptied.notify_all()

    def _write(self, events: list[AuditEvent], uses: dict[str, KeyUse], role_uses: dict[tuple[str, str], RoleUse]) -> None:
        def work(tx: Transaction) -> None:
            tx.audit_events.append(events)
            tx.access_keys.record_use(uses)
            tx.roles.record_use(role_uses)

        try:
            self._store.write(work)
        except BaseException:
            with self._filled:
                self._uses = {**uses, **self._uses}
                self._role_uses = {**role_uses, **self._role_uses}
            raise

    def _run(self) -> None:
        while True:
            with self._filled:
                self._filled.wait_for(lambda: self._stopping.is_set() or self._events or self._uses or self._role_uses)
            # A moment for others to join: one durable commit then serves them all.
            if self._stopping.wait(_SECONDS_BETWEEN_BATCHES):
                return
            try:
                self.flush()
            except (Conflict, Fault) as error:
                self._log.error("audit events wait to be written", error=str(error))
