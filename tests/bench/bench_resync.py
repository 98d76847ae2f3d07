"""ResyncMFADevice through the served product: every success is durable before it is answered."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from tests.bench import load
from tests.fault.crowd import admin_client, admin_keys, new_device, now_step, pair
from tests.fault.signed import raw_request
from tests.support.server import Server

CONNECTIONS = 8
DEVICES = 40
# Each resync finds its device 20 minutes from where it was learnt to be, in the day either way that an administrator may reach.
STEPS_OFF = 40
RESYNCS_OF_EACH = 50
FSYNCS = 400
ALONE = 100


def fsync_cost(folder: Path) -> list[float]:
    """Seconds that it takes to append a page and make it durable, many times over and sorted."""
    taken = []
    descriptor = os.open(folder / "fsync", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        for _ in range(FSYNCS):
            begun = time.perf_counter()
            os.write(descriptor, bytes(4096))
            os.fsync(descriptor)
            taken.append(time.perf_counter() - begun)
    finally:
        os.close(descriptor)
    return sorted(taken)


def prepare(server: Server) -> list[list[str]]:
    """Enabled devices, and the requests of each connection: a device's pairs are spent in order, by one connection alone."""
    queues: list[list[str]] = [[] for _ in range(CONNECTIONS)]
    host = urlsplit(server.endpoint).netloc
    keys = admin_keys(server)
    with admin_client(server) as admin:
        devices = []
        for number in range(DEVICES):
            name = f"User{number}"
            admin.done("iam:CreateUser", UserName=name)
            serial_number, device = new_device(admin, name)
            start = now_step(device) - RESYNCS_OF_EACH * STEPS_OFF // 2
            admin.done("iam:EnableMFADevice", UserName=name, SerialNumber=serial_number, **pair(device, start))
            devices.append((name, serial_number, device, start))
    for turn in range(1, RESYNCS_OF_EACH + 1):
        for number, (name, serial_number, device, start) in enumerate(devices):
            ask = {"UserName": name, "SerialNumber": serial_number, **pair(device, start + turn * STEPS_OFF)}
            request = raw_request(keys, "iam:ResyncMFADevice", ask, host=host)
            queues[number % CONNECTIONS].append(request.decode("latin-1"))
    return queues


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        queues = prepare(server)
        before = fsync_cost(server.home)
        port = urlsplit(server.endpoint).port
        assert port is not None
        for connections in (1, CONNECTIONS):
            # The one connection takes the first requests of the first queue; then all go on from there.
            share = [queues[0][:ALONE]] if connections == 1 else [queues[0][ALONE:], *queues[1:]]
            measured = load.run(load.Plan("127.0.0.1", port, share))
            assert set(measured.statuses) == {"200"}, measured.statuses
            print(
                f"ResyncMFADevice, devices 20 minutes off, {connections} connection(s): {measured.per_second:,.0f} requests/s,"
                f" p50 {measured.percentile(50) * 1e3:.2f} ms, p99 {measured.percentile(99) * 1e3:.2f} ms"
                f" ({len(measured.latencies)} requests; load generator {measured.cpu:.0%} of a core)"
            )
        print(
            f"this disk's write and fsync of 4 KiB: p50 {median(before) * 1e3:.2f} ms,"
            f" p99 {before[int(len(before) * 0.99)] * 1e3:.2f} ms"
        )
        server.stop()


if __name__ == "__main__":
    main()
