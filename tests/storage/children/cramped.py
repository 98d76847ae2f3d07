"""Meets a limit on the size of files, as on a full disk, and then has room again.  Argument: url.

Says what a large write was told, how many events there were after it, and how many after a write with room again.
"""

import os
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from instep.domain.audit_event import AuditEvent
from instep.services.faults import Fault
from instep.storage.engine import database_file
from instep.storage.transaction import Store

url = sys.argv[1]
store = Store.open(url, threads=1, patience=timedelta(seconds=5), clock=time.monotonic, sleep=time.sleep, random=os.urandom)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def write(event_id: str, size: int) -> None:
    event = AuditEvent("123456789012", event_id, datetime.now(UTC), {"filling": "x" * size})
    store.write(lambda tx: tx.audit_events.append([event]))


def limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def events() -> int:
    return len(store.read(lambda tx: tx.audit_events.latest(None, limit=10)))


write("before", 10)
log = Path(f"{database_file(url)}-wal")
limit(log.stat().st_size + 4096)
try:
    write("large", 400_000)
except Fault as fault:
    say(str(fault))
say(str(events()))
limit(resource.RLIM_INFINITY)
write("after", 10)
say(str(events()))
store.close()
