"""A load generator in a process of its own: connections that stay open, requests made and signed beforehand.

It costs so little that the server is what is measured; `cpu` tells how much of a core it took all the same.  Standard library
only, so that the process starts at once.
"""

from __future__ import annotations

import itertools
import json
import re
import selectors
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Plan:
    """`queues` holds each connection's requests in order; with `seconds` they are sent over and over for that long."""

    host: str
    port: int
    queues: Sequence[Sequence[str]] = field(repr=False)
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """`statuses` by number; `latencies` in seconds, sorted; `cpu` is the generator's own share of a core.

    `body` is the length of the last one.
    """

    seconds: float
    statuses: dict[str, int]
    latencies: list[float] = field(repr=False)
    cpu: float
    body: int

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * percent / 100))]


def run(plan: Plan) -> Measured:
    """`plan` in a process of its own."""
    command = [sys.executable, "-I", __file__]
    done = subprocess.run(command, input=json.dumps(asdict(plan)), capture_output=True, text=True, check=False, cwd=_ROOT)
    if done.returncode:
        raise RuntimeError(f"the load generator ended with {done.returncode}:\n{done.stderr}")
    return Measured(**json.loads(done.stdout))


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    requests: Iterator[bytes]
    sent_at: float = 0.0
    received: bytes = b""

    def send_next(self) -> bool:
        """False when there is nothing left to send."""
        request = next(self.requests, None)
        if request is None:
            return False
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)
        return True

    def receive(self) -> tuple[bytes, int] | None:
        """The status and the length of the body once the whole answer is there."""
        part = self.socket.recv(1 << 18)
        if not part:
            raise ConnectionError("the server closed a connection")
        self.received += part
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return None
        found = _LENGTH.search(self.received, 0, end + 2)
        length = int(found[1]) if found else 0
        if len(self.received) < end + 4 + length:
            return None
        status = self.received[9:12]
        self.received = b""
        return status, length


def _load(plan: Plan) -> Measured:
    selector = selectors.DefaultSelector()
    connections = []
    for queue in plan.queues:
        requests = [request.encode("latin-1") for request in queue]
        connection = socket.create_connection((plan.host, plan.port), timeout=60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        endless = itertools.cycle(requests) if plan.seconds is not None else iter(requests)
        connections.append(_Connection(connection, endless))
        selector.register(connection, selectors.EVENT_READ, connections[-1])
    statuses: Counter[bytes] = Counter()
    latencies: list[float] = []
    length = 0
    begun, cpu = time.perf_counter(), time.process_time()
    ends = begun + plan.seconds if plan.seconds is not None else float("inf")
    busy = sum(connection.send_next() for connection in connections)
    while busy:
        for key, _ in selector.select(60):
            connection = key.data
            answer = connection.receive()
            if answer is None:
                continue
            now = time.perf_counter()
            latencies.append(now - connection.sent_at)
            status, length = answer
            statuses[status] += 1
            if now >= ends or not connection.send_next():
                busy -= 1
                selector.unregister(connection.socket)
                connection.socket.close()
    seconds = time.perf_counter() - begun
    return Measured(
        seconds=seconds,
        statuses={status.decode(): count for status, count in statuses.items()},
        latencies=sorted(latencies),
        cpu=(time.process_time() - cpu) / seconds,
        body=length,
    )


if __name__ == "__main__":
    json.dump(asdict(_load(Plan(**json.load(sys.stdin)))), sys.stdout)
