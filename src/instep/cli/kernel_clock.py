"""Does the system keep its clock right?  Linux says so (adjtimex(2)); elsewhere nobody is asked."""

from __future__ import annotations

import ctypes
import sys

# struct timex is 208 bytes on 64-bit Linux; the kernel never writes more than it knows of.
_TIMEX_BYTES = 512
# The clock was never set by a time service, or not for so long that it cannot be trusted (TIME_ERROR).
_NOT_SYNCHRONIZED = 5


def kept_right() -> bool | None:
    """None when the system does not say."""
    if not sys.platform.startswith("linux"):
        return None
    # All zero: `modes` asks for nothing to be changed, so no rights are needed.
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    except (OSError, AttributeError):
        return None
    # Negative: a sandbox forbids the question.
    return None if state < 0 else state != _NOT_SYNCHRONIZED
