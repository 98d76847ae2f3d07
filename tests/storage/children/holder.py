"""Writes an event and stays inside the transaction until a line comes on standard input.  Argument: url."""

import os
import sys
import time
from datetime import UTC, datetime, timedelta

from instep.domain.audit_event import AuditEvent
from instep.storage.transaction import Store, Transaction

store = Store.open(
    sys.argv[1], threads=1, patience=timedelta(seconds=60), clock=time.monotonic, sleep=time.sleep, random=os.urandom
)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def hold(tx: Transaction) -> None:
    tx.audit_events.append([AuditEvent("123456789012", "held", datetime.now(UTC), {})])
    say("holding")
    sys.stdin.readline()


store.write(hold)
store.close()
