"""Writes audit events under the event ids NAME-0, NAME-1 …, from several threads, until there are enough of everybody's.

Arguments: url name threads enough.  Says "ready", and begins at a line on standard input.
"""

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Thread

import sqlalchemy as sa

from instep.domain.audit_event import AuditEvent
from instep.storage.schema import audit_events
from instep.storage.transaction import Store, Transaction

url, name, threads, enough = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
store = Store.open(
    url, threads=threads, patience=timedelta(seconds=60), clock=time.monotonic, sleep=time.sleep, random=os.urandom
)
numbers = count()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def write(tx: Transaction) -> bool:
    if tx.connection.execute(sa.select(sa.func.count()).select_from(audit_events)).scalar_one() >= enough:
        return False
    tx.audit_events.append([AuditEvent("123456789012", f"{name}-{next(numbers)}", datetime.now(UTC), {})])
    return True


def run() -> None:
    while store.write(write):
        pass


store.read(lambda tx: tx.accounts.all())
say("ready")
sys.stdin.readline()
running = [Thread(target=run) for _ in range(threads)]
for thread in running:
    thread.start()
for thread in running:
    thread.join()
store.close()
