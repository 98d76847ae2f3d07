"""What is done from time to time: spent steps that no code can match any more, and audit events past their retention."""

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
    return steps, events
