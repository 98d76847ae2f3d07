"""What is done from time to time: spent steps that no code can match any more, audit events past their retention,
sessions that are over."""

from __future__ import annotations

from datetime import datetime

from instep.domain.drift import sweep_before
from instep.services.ports import Store
from instep.settings import Settings

_AT_ONCE = 5000


def sweep(store: Store, settings: Settings, now: datetime) -> tuple[int, int]:
    """How many spent steps and audit events went; in small writes, so that nobody waits long behind them."""
    arrived_before = sweep_before(now, windows=settings.totp)
    retained_from = now - settings.audit.retention
    steps = events = 0
    while gone := store.write(lambda tx: tx.mfa_devices.sweep(arrived_before=arrived_before, limit=_AT_ONCE)):
        steps += gone
    while gone := store.write(lambda tx: tx.audit_events.sweep(before=retained_from, limit=_AT_ONCE)):
        events += gone
    # What such old failures brought is over, however long the waits.
    failed_before = now - 2 * (settings.signin.longest_password_wait + settings.signin.password_failures_within)
    while store.write(lambda tx: tx.sign_ins.sweep(now=now, failed_before=failed_before, limit=_AT_ONCE)):
        pass
    return steps, events
