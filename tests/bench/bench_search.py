"""What searching for a pair of codes costs, against bare HMACs in C.  Run it alone: figures compare only within one run."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from instep.api.errors import InvalidAuthenticationCode
from instep.domain.totp import Algorithm, PairRefusal, Token, explain_refused_pair, resynchronize

SEED = bytes(range(40))
HERE = Token(SEED).time_step(datetime(2026, 11, 24, 12, tzinfo=UTC))
DAY = 2880
WITHIN = range(HERE - DAY, HERE + DAY + 1)
WIDE = range(HERE - 7 * DAY, HERE + 7 * DAY + 1)
CODES = len(WITHIN) + 1


def cpu(work: Callable[[], object], *, times: int = 40) -> float:
    """The least CPU time of some runs, in seconds."""
    least = float("inf")
    for _ in range(times):
        begun = time.process_time()
        work()
        least = min(least, time.process_time() - begun)
    return least


def refused(token: Token) -> None:
    """A search that looks at everything, as no pair of equal chance is in there."""
    with suppress(InvalidAuthenticationCode):
        resynchronize(token, "000000", "000001", expected=HERE, within=WITHIN)
        raise AssertionError("a pair found by a chance of one in a hundred million")


def found(token: Token, first: str, second: str) -> int:
    return resynchronize(token, first, second, expected=HERE, within=WITHIN)


def openssl(digest: str) -> float | None:
    """Seconds a HMAC of eight bytes takes `openssl speed`; None without that program."""
    program = shutil.which("openssl")
    if program is None:
        return None
    command = [program, "speed", "-seconds", "1", "-bytes", "8", "-hmac", digest]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    kilobytes = re.search(r"^hmac\(\w+\)\s+([0-9.]+)k", printed, re.MULTILINE | re.IGNORECASE)
    if kilobytes is None:
        raise ValueError(f"openssl speed printed something else:\n{printed}")
    return 8 / (float(kilobytes[1]) * 1000)


def main() -> None:
    for algorithm in Algorithm:
        token = Token(SEED, algorithm)
        bare = openssl(algorithm.lower())
        whole = cpu(partial(refused, token))
        line = f"refused pair over ±24 h, {algorithm}: {whole * 1e3:.2f} ms CPU for {CODES} codes"
        if bare is not None:
            line += f", {whole / (CODES * bare):.1f} times as many HMACs of openssl ({CODES * bare * 1e3:.2f} ms)"
        print(line)
    token = Token(SEED)
    slow = HERE - 40
    first, second = token.code(slow - 1), token.code(slow)
    print(f"device 20 minutes off: {cpu(lambda: found(token, first, second)) * 1e3:.3f} ms CPU")
    explained = cpu(lambda: explain_refused_pair(token, "000000", "000001", within=WITHIN, wide=WIDE, spent=_never), times=5)
    assert explain_refused_pair(token, first, second, within=range(0), wide=WIDE, spent=_never) is PairRefusal.BEYOND_WINDOW
    print(f"explaining a refusal over ±7 days: {explained * 1e3:.1f} ms CPU for {len(WIDE) + 1} codes")


def _never(step: int) -> bool:
    return False


if __name__ == "__main__":
    main()
