"""What the audit trail keeps: one event in CloudTrail's shape, and what it is found by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """`event` is the CloudTrail record, ready for JSON; codes, seeds and passwords never get into it."""

    account_id: str
    event_id: str
    at: datetime
    event: Mapping[str, Any]
