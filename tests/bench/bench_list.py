"""Signed ListMFADevices through the served product, against a bare WSGI handler on the same server with the same settings."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from instep.settings import Server as ServerSettings
from tests.bench import bare, load
from tests.fault.crowd import admin_client, admin_keys, enabled_device
from tests.fault.disks import processes
from tests.fault.signed import raw_request
from tests.support.server import Server

CONNECTIONS = 8
TICKS = os.sysconf("SC_CLK_TCK")
SECONDS = 4.0
ROUNDS = 3


def cpu_seconds(pid: int) -> float:
    """What a server and its workers have used of the processor so far; all its threads, in and out of the kernel."""
    used = 0
    for process in processes(pid):
        # Behind the name in parentheses, which may hold anything: utime and stime are fields 14 and 15, proc_pid_stat(5).
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / TICKS


def measure(port: int, request: str, seconds: float = SECONDS) -> load.Measured:
    measured = load.run(load.Plan("127.0.0.1", port, [[request]] * CONNECTIONS, seconds))
    assert set(measured.statuses) == {"200"}, measured.statuses
    return measured


def main() -> None:
    threads = ServerSettings().threads
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        with admin_client(server) as admin:
            admin.done("iam:CreateUser", UserName="Richard")
            enabled_device(admin, "Richard", "RichardsMFA")
        port = urlsplit(server.endpoint).port
        assert port is not None
        asked = raw_request(admin_keys(server), "iam:ListMFADevices", {"UserName": "Richard"}, host=f"localhost:{port}")
        request = asked.decode("latin-1")
        length = measure(port, request, 1.0).body
        with bare.serving(threads, length) as (bare_pid, bare_port):
            measure(bare_port, request, 1.0)
            shares, costs, least_costs = [], [], []
            for round_ in range(1, ROUNDS + 1):
                before = cpu_seconds(server.pid), cpu_seconds(bare_pid)
                product, least = measure(port, request), measure(bare_port, request)
                shares.append(product.per_second / least.per_second)
                costs.append((cpu_seconds(server.pid) - before[0]) / len(product.latencies))
                least_costs.append((cpu_seconds(bare_pid) - before[1]) / len(least.latencies))
                print(
                    f"round {round_}: product {product.per_second:,.0f} requests/s (p50 {product.percentile(50) * 1e3:.2f} ms,"
                    f" p99 {product.percentile(99) * 1e3:.2f} ms; load generator {product.cpu:.0%} of a core),"
                    f" bare {least.per_second:,.0f} ({least.cpu:.0%}): {shares[-1]:.1%}"
                )
        server.stop()
    print(
        f"signed ListMFADevices, one worker, {threads} threads, {CONNECTIONS} connections, a body of {length} bytes:"
        f" {median(shares):.1%} of a bare WSGI handler's requests/s (median of {ROUNDS}; 10 % wanted)"
    )
    print(
        f"CPU time of a request, the server's own work and what is written later included: {median(costs) * 1e6:.0f} µs,"
        f" bare {median(least_costs) * 1e6:.0f} µs"
    )


if __name__ == "__main__":
    main()
