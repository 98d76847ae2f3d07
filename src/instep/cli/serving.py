"""Serves: one worker process under Granian, watched and stopped by this one."""

from __future__ import annotations

import errno
import http.client
import ipaddress
import logging
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from multiprocessing import resource_tracker
from types import FrameType
from typing import Any, cast
from wsgiref.types import WSGIApplication

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from instep.app import worker
from instep.services.faults import Fault
from instep.settings import Settings, SettingsError

# Longer than a writer waits for its turn, so that every request that was begun is answered.
_SECONDS_TO_STOP = 25
_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_FOR_A_LOOK = 5.0
# What the C library and Python themselves may still ask for.
_KEPT_VARIABLES = frozenset({"HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ"})
# Wakes the worker's main thread to stop.
_STOP = signal.SIGUSR1


def listening_address(host: str, port: int) -> str:
    """The numeric address behind `host`, once it is sure that `port` is free there.  Raises Fault, saying what to do."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise Fault(f"The address {host} to listen on is not known: {error.strerror}. Choose another with --host.") from None
    # IPv4 first: clients that resolve localhost to ::1 fall back to it, the other way round some do not.
    family, _, _, _, address = min(found, key=lambda one: one[0] is not socket.AF_INET)
    numeric = str(address[0])
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Without SO_REUSEPORT, which the server itself uses: two servers would share the port and never know.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((numeric, port))
        except OSError as error:
            raise Fault(_not_free(error, numeric, port)) from None
    return numeric


def _not_free(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"Port {port} of {host} is taken, maybe by an instep that runs already. Stop it, or choose another with --port."
            )
        case errno.EACCES:
            return f"Port {port} may not be used by this user. Choose one above 1023 with --port."
        case errno.EADDRNOTAVAIL:
            return f"This machine has no address {host}. Choose another with --host; 0.0.0.0 listens on all."
        case _:
            return f"Port {port} of {host} cannot be listened on: {error.strerror}. Choose another with --port or --host."


def endpoint(settings: Settings) -> str:
    """The address that clients use."""
    if "server.public_url" in settings.origins:
        return settings.server.public_url
    host = settings.server.host
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host}:{settings.server.port}"
    if address.is_loopback or address.is_unspecified:
        # ::1 and :: aside, a client that knows only IPv4 gets there too.
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.server.port}"


def serve(settings: Settings, address: str, environment: Mapping[str, str], ready: Callable[[], None]) -> None:
    """Serve until Ctrl-C, SIGTERM or SIGHUP; `ready` is called once, when the service answers.

    `environment` goes over that of this process to tell the worker its settings.  Raises Fault when the server ends by itself.
    """
    # A new interpreter instead of a fork: the worker has no copy of the secrets that were just made, nor of anybody's locks.
    multiprocessing.set_start_method("spawn", force=True)
    server = Server(
        "instep",
        address=address,
        port=settings.server.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        # SQLite has one writer at a time, and one process that queues them fairly.
        workers=1,
        blocking_threads=settings.server.threads,
        # Without it one killed worker would end the whole service.
        respawn_failed_workers=True,
        workers_kill_timeout=_SECONDS_TO_STOP,
        log_level=LogLevels.info if settings.log.level == "debug" else LogLevels.warning,
        log_dictconfig=_LOG_CONFIG,
    )
    watch = _Watch(address, settings.server.port, ready)
    server.on_startup(watch.start)
    with _stopped_by_signals(server.signal_handler_interrupt):
        try:
            server.serve(target_loader=partial(application, dict(environment)), wrap_loader=False)
        except SystemExit:
            # Granian ends so when its worker does.
            raise Fault("The server ended by itself; the lines above say why. `instep doctor` may know what to do.") from None
        finally:
            watch.stop()


@contextmanager
def _stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Calls `stop` at Ctrl-C, SIGTERM or a closed terminal; under nohup the latter is nothing."""
    signals = {signal.SIGINT, signal.SIGTERM}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.add(signal.SIGHUP)
    # Its start would unblock what is blocked here.
    resource_tracker.ensure_running()
    # The worker inherits that they are blocked.  A terminal or a service manager signals both processes at once, but it is the
    # parent who stops the worker: of two signals in a row the server's own handler would wait for itself.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)

    def wait() -> None:
        signal.sigwait(signals)
        stop()

    threading.Thread(target=wait, name="signals", daemon=True).start()
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def application(environment: Mapping[str, str]) -> WSGIApplication:
    """What the worker process serves; called there."""
    signal.signal(_STOP, _stop_once)
    threading.Thread(target=_await_stop, name="stop", daemon=True).start()
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    try:
        served = worker({**os.environ, **environment})
        _forget_environment()
        return served
    except (Fault, SettingsError) as trouble:
        structlog.get_logger("instep.server").error("the worker cannot start", error=str(trouble))
        raise SystemExit(1) from None


def _forget_environment() -> None:
    """Granian hands the whole environment to every request, where HTTP_PROXY would pass for a header; the settings are read."""
    for name in list(os.environ):
        if name not in _KEPT_VARIABLES:
            del os.environ[name]


def _await_stop() -> None:
    """Passes the first SIGTERM on; any further one stays blocked."""
    signal.sigwait({signal.SIGTERM})
    signal.pthread_kill(cast("int", threading.main_thread().ident), _STOP)


def _stop_once(number: int, frame: FrameType | None) -> None:
    """Does what the server wants done at SIGTERM; before it has said so, there is nothing to finish."""
    handler = signal.getsignal(signal.SIGTERM)
    if not callable(handler):
        raise SystemExit(0)
    handler(number, frame)


def _end_with_parent() -> None:
    """Nobody could stop us when the parent was killed, and the port would stay taken."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


class _Watch:
    """Asks the server until it answers, then calls `ready`."""

    def __init__(self, address: str, port: int, ready: Callable[[], None]) -> None:
        everywhere = ipaddress.ip_address(address).is_unspecified
        self._host = ("::1" if ":" in address else "127.0.0.1") if everywhere else address
        self._port = port
        self._ready = ready
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ready", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(_SECONDS_FOR_A_LOOK)

    def _run(self) -> None:
        while not self._stopped.is_set():
            if self._answers():
                self._ready()
                return
            self._stopped.wait(_SECONDS_BETWEEN_LOOKS)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_SECONDS_FOR_A_LOOK)
        try:
            connection.request("OPTIONS", "/")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def log_formatter() -> structlog.stdlib.ProcessorFormatter:
    """Granian's own lines in the form of ours."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )


def log_filter() -> Callable[[logging.LogRecord], bool]:
    """Granian finds it worth a warning that there are more threads than cores; ours wait for the disk, and are a setting."""
    return lambda record: not record.getMessage().startswith("Configuration allows spawning up to")


# On standard error: standard output is for what the command prints.
_LOG_CONFIG: dict[str, Any] = {
    "formatters": {"json": {"()": "instep.cli.serving.log_formatter"}},
    "filters": {"threads": {"()": "instep.cli.serving.log_filter"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "filters": ["threads"],
            "stream": "ext://sys.stderr",
        }
    },
    "loggers": {
        "_granian": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "granian.access": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}
