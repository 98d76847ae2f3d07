"""The composition root: the only place that knows everyone."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO, cast

import falcon
import msgspec
import structlog

from instep.api.iam import IAM
from instep.api.sts import STS
from instep.domain.ids import Random, uuid4
from instep.services.faults import Conflict, Fault
from instep.services.gate import Gate
from instep.services.housekeeping import sweep
from instep.services.signin.passwords import SignIn
from instep.services.trail import Trail
from instep.services.turns import SlowWork, Turns
from instep.settings import Settings, load
from instep.storage import migrations
from instep.storage.engine import database_file
from instep.storage.transaction import Store
from instep.storage.vault import Vault, create_key_file
from instep.storage.writer_gate import WriterGate
from instep.wire.resource import QueryResource

# What IAM and STS answer from; a credential scope may name any other region all the same.
REGION = "us-east-1"
_PATIENCE = timedelta(seconds=20)
_PATIENCE_FOR_TRAIL = timedelta(seconds=5)
# Hashing a password takes 64 MiB and a core.
_SLOW_AT_ONCE = 2
_BETWEEN_SWEEPS = timedelta(hours=1)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Service:
    """Everything behind the pages and the protocol, composed once for each process."""

    settings: Settings
    store: Store
    vault: Vault
    gate: Gate
    sign_in: SignIn
    trail: Trail
    turns: Turns
    clock: Clock
    random: Random

    def close(self) -> None:
        """Write what waits to be written, and give the database back."""
        self.trail.stop()
        self.store.close()


def initialize(settings: Settings, *, random: Random = os.urandom) -> bool:
    """Make what is missing of the data folder: folder, key file, schema, check value.  True when this made the key file.

    Raises Fault, saying how to mend it, for a folder that cannot be used, a key file that is missing while there is a database,
    or a database of a newer version.
    """
    make_private_folder(settings)
    key_file = settings.vault.key_file
    fresh = is_fresh(settings)
    if fresh:
        create_key_file(key_file, random)
    vault = Vault.from_key_file(key_file, random)
    gate = WriterGate(database_file(settings.database.url), clock=time.monotonic, sleep=time.sleep, random=random)
    # In line with the writers of a server that runs already.
    with contextlib.closing(gate), gate.turn(time.monotonic() + _PATIENCE.total_seconds()):
        migrations.upgrade(settings.database.url, vault)
    return fresh


def is_fresh(settings: Settings) -> bool:
    """Nothing was set up here yet: there is neither key file nor database."""
    database = database_file(settings.database.url)
    return not settings.vault.key_file.exists() and (database is None or not database.exists())


def open_service(settings: Settings, *, clock: Clock = utc_now, random: Random = os.urandom) -> Service:
    """The service over an initialized data folder.  `clock` and `random` are for those who compose it, never a setting.

    Raises Fault, saying how to mend it, when the key file or the schema does not fit.
    """
    vault = Vault.from_key_file(settings.vault.key_file, random)
    migrations.check(settings.database.url, vault)
    turns = Turns()
    store = Store.open(
        settings.database.url,
        threads=settings.server.threads + 2,
        patience=_PATIENCE,
        clock=time.monotonic,
        sleep=time.sleep,
        random=random,
        aside=turns.aside,
    )
    trail = Trail(store, length=settings.audit.queue_length, patience=_PATIENCE_FOR_TRAIL, aside=turns.aside)
    slow = SlowWork(turns.aside, at_once=_SLOW_AT_ONCE)
    gate = Gate(store=store, vault=vault, settings=settings, trail=trail, clock=clock, random=random, slow=slow)
    sign_in = SignIn(store=store, vault=vault, settings=settings, trail=trail, clock=clock, random=random, slow=slow)
    return Service(settings, store, vault, gate, sign_in, trail, turns, clock, random)


def create_wsgi(service: Service) -> falcon.App[falcon.Request, falcon.Response]:
    app = falcon.App()
    resource = QueryResource(
        service.gate,
        (IAM, STS),
        region=REGION,
        clock=service.clock,
        new_request_id=lambda: uuid4(service.random),
        turns=service.turns,
    )
    app.add_error_handler(falcon.HTTPError, resource.refuse_unheard_method)
    app.add_route("/", resource)
    # Every path: with "/" as its prefix, "OPTIONS *" would pass by it.
    app.add_sink(resource.refuse_path, "")
    return app


def worker(environment: Mapping[str, str] = os.environ) -> falcon.App[falcon.Request, falcon.Response]:
    """What a worker process serves; its parent hands the settings down as environment variables and a file."""
    settings = load(data=Path(environment["INSTEP_DATA"]), environment=environment)
    configure_logs(settings)
    service = open_service(settings)
    service.trail.start()
    # What is there now stays: the collector need not look through it for every few requests.
    gc.collect()
    gc.freeze()
    threading.Thread(target=_keep_house, args=(service,), name="housekeeping", daemon=True).start()
    # No daemon: Python waits for it before the process ends, so what the trail still keeps is written.
    threading.Thread(target=_close_at_the_end, args=(service,), name="closing").start()
    return create_wsgi(service)


def configure_logs(settings: Settings) -> None:
    """One line for each thing told, on standard error: JSON, or plainer words where a person is watching."""
    plain = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, pad_level=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            plain if sys.stderr.isatty() else structlog.processors.JSONRenderer(serializer=_as_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log.level),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _LogLines())),
        cache_logger_on_first_use=True,
    )


def _as_json(event: Any, **_: Any) -> str:
    """Quicker than the standard library's; there is a line for each request."""
    return msgspec.json.encode(event, enc_hook=repr).decode()


class _LogLines:
    """Standard error.  A log that cannot be written, on a full disk say, must not take an answer with it."""

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def _keep_house(service: Service) -> None:
    log = structlog.get_logger("instep.housekeeping")
    wait = threading.Event()
    while True:
        try:
            steps, events = sweep(service.store, service.settings, service.clock())
            log.info("swept", spent_steps=steps, audit_events=events)
        except (Conflict, Fault) as error:
            log.error("not swept", error=str(error))
        wait.wait(_BETWEEN_SWEEPS.total_seconds())


def _close_at_the_end(service: Service) -> None:
    threading.main_thread().join()
    service.close()


def make_private_folder(settings: Settings) -> None:
    """The data folder, for its owner alone.

    Raises Fault when it cannot be made; or when others may enter it and it holds things of theirs, as a home folder does.
    """
    folder = settings.data
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not folder.stat().st_mode & 0o077:
            return
        if is_fresh(settings) and any(folder.iterdir()):
            raise Fault(
                f"The folder {folder} holds other things and is open to others. Choose another with --data,"
                f" or run: chmod 700 {folder}"
            )
        folder.chmod(0o700)
    except OSError as error:
        raise Fault(f"The data folder {folder} cannot be made: {error.strerror}. Choose another with --data.") from error
