"""Spends the steps 0 to 59 of the device Phone, one by one, and says which it got.  Argument: url."""

import os
import sys
import time
from datetime import UTC, datetime, timedelta

from instep.api.errors import InvalidAuthenticationCode
from instep.storage.transaction import Store, Transaction

store = Store.open(
    sys.argv[1], threads=1, patience=timedelta(seconds=60), clock=time.monotonic, sleep=time.sleep, random=os.urandom
)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def spend(tx: Transaction, step: int) -> None:
    device = tx.mfa_devices.find("123456789012", "arn:aws:iam::123456789012:mfa/Phone")
    assert device is not None
    tx.mfa_devices.spend(device, step, at=datetime.now(UTC))


store.read(lambda tx: tx.accounts.all())
say("ready")
sys.stdin.readline()
got = []
for step in range(60):
    try:
        store.write(lambda tx, step=step: spend(tx, step))  # type: ignore[misc]
    except InvalidAuthenticationCode:
        continue
    got.append(str(step))
say(" ".join(got))
store.close()
