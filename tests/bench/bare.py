"""The least that a WSGI handler can do, on the server and the settings that the product runs on.

    python -m tests.bench.bare PORT THREADS LENGTH

answers every request with a body of LENGTH bytes and the headers of a real answer.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from tests.support.server import ROOT, free_port

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
WSGI = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def application(length: int) -> WSGI:
    body = b"x" * length
    headers = [
        ("x-amzn-requestid", "7a62c49f-347e-4fc4-9331-6e8e4a1b2c3d"),
        ("content-length", str(length)),
        ("content-type", "text/xml"),
    ]

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        # Read, as any handler of a POST has to.
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or "0"))
        start_response("200 OK", headers)
        return (body,)

    return answer


@contextmanager
def serving(threads: int, length: int) -> Iterator[tuple[int, int]]:
    """Process id and port of a bare server in processes of its own."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.bare", str(port), str(threads), str(length)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "serving\n"
            yield process.pid, port
        finally:
            process.terminate()


def main(port: int, threads: int, length: int) -> None:
    server = Server(
        "bare",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=1,
        blocking_threads=threads,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
    )
    # The worker listens on a socket that the parent has opened by now: what comes before it is there waits in line.
    server.on_startup(lambda: print("serving", flush=True))
    server.serve(target_loader=partial(application, length), wrap_loader=False)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
