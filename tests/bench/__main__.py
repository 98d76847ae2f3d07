"""`make bench`: figures, to be compared only within one run.  Nothing here passes or fails."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping

from tests.bench import bench_list, bench_policies, bench_resync, bench_search

BENCHES: Mapping[str, Callable[[], None]] = {
    "Searching for a pair": bench_search.main,
    "Asking policies": bench_policies.main,
    "Listing devices": bench_list.main,
    "Resynchronizing": bench_resync.main,
}


def main() -> None:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, load {load}")
    for heading, bench in BENCHES.items():
        print(f"\n{heading}\n{'-' * len(heading)}")
        bench()


if __name__ == "__main__":
    main()
