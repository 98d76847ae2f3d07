"""One transaction: begin, savepoint, commit, and the bounded retry around it.

The work is one function without side effects, so it can be run again as a whole when the database asks for it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from instep.domain.ids import Random
from instep.services.faults import Conflict, Fault, UnknownOutcome
from instep.storage import engine as dialect
from instep.storage.repositories.access_keys import AccessKeys
from instep.storage.repositories.accounts import Accounts
from instep.storage.repositories.audit_events import AuditEvents
from instep.storage.repositories.groups import Groups
from instep.storage.repositories.inline_policies import InlinePolicies
from instep.storage.repositories.login_profiles import LoginProfiles
from instep.storage.repositories.managed_policies import ManagedPolicies
from instep.storage.repositories.mfa_devices import MFADevices
from instep.storage.repositories.roles import Roles
from instep.storage.repositories.security_keys import SecurityKeys
from instep.storage.repositories.sign_in import SignIns
from instep.storage.repositories.users import Users
from instep.storage.revisions import Revisions
from instep.storage.writer_gate import WriterGate

T = TypeVar("T")

# Seconds before the second try; doubled for each further one up to the longest, then spread from half to one and a half.
_FIRST_PAUSE: Final = 0.005
_LONGEST_PAUSE: Final = 0.25
_NOT_IN_TURNS: Final = nullcontext()


class Transaction:
    """What one piece of work may touch: the repositories, all on one connection."""

    __slots__ = (
        "_depth",
        "_revisions",
        "access_keys",
        "accounts",
        "audit_events",
        "connection",
        "groups",
        "inline_policies",
        "login_profiles",
        "managed_policies",
        "mfa_devices",
        "roles",
        "security_keys",
        "sign_ins",
        "users",
    )

    def __init__(self, connection: sa.Connection) -> None:
        self._depth = 0
        self.connection = connection
        self._revisions = Revisions(connection)
        self.accounts = Accounts(connection, self._revisions)
        self.users = Users(connection, self._revisions)
        self.access_keys = AccessKeys(connection, self._revisions)
        self.groups = Groups(connection, self._revisions)
        self.roles = Roles(connection, self._revisions)
        self.inline_policies = InlinePolicies(connection, self._revisions)
        self.managed_policies = ManagedPolicies(connection, self._revisions)
        self.login_profiles = LoginProfiles(connection, self._revisions)
        self.mfa_devices = MFADevices(connection, self._revisions)
        self.security_keys = SecurityKeys(connection, self._revisions)
        self.sign_ins = SignIns(connection, self._revisions)
        self.audit_events = AuditEvents(connection, self._revisions)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What is written inside is undone when an exception leaves it; the transaction goes on."""
        self._depth += 1
        before = self._revisions.snapshot()
        name = f"instep_{self._depth}"
        self.connection.exec_driver_sql(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            self._revisions.restore(before)
            # When the database rolled everything back on its own, the savepoint is gone too; the first error is the one to tell.
            with contextlib.suppress(DBAPIError):
                self.connection.exec_driver_sql(f"ROLLBACK TO SAVEPOINT {name}")
                self.connection.exec_driver_sql(f"RELEASE SAVEPOINT {name}")
            raise
        else:
            self.connection.exec_driver_sql(f"RELEASE SAVEPOINT {name}")
        finally:
            self._depth -= 1


class Store:
    """Runs work against one database.  One for each process; not to be carried over a fork.

    `patience` is how long one piece of work may wait and retry in all; `clock` gives seconds and only ever goes forward.  `aside`
    is entered while a write waits, where threads take turns.
    """

    def __init__(
        self,
        engine: sa.Engine,
        gate: WriterGate,
        *,
        patience: timedelta,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        random: Random,
        aside: AbstractContextManager[None] = _NOT_IN_TURNS,
    ) -> None:
        self._engine = engine
        self._gate = gate
        self._patience = patience.total_seconds()
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._aside = aside
        # Idle: going to the pool for each read costs as much as a SELECT.  Half of the connections are left to the pool: were all
        # kept for reading, once more had read at the same time than was thought of, nobody could ever write.
        self._readers: list[sa.Connection] = []
        self._most_readers = dialect.connections(engine) // 2

    @classmethod
    def open(
        cls,
        url: str,
        *,
        threads: int,
        patience: timedelta,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        random: Random,
        aside: AbstractContextManager[None] = _NOT_IN_TURNS,
    ) -> Store:
        """The store behind `url`, with connections for that many threads.  Raises Fault for a database that cannot be used."""
        engine = dialect.create_engine(url, threads=threads)
        gate = WriterGate(dialect.database_file(url), clock=clock, sleep=sleep, random=random)
        return cls(engine, gate, patience=patience, clock=clock, sleep=sleep, random=random, aside=aside)

    def close(self) -> None:
        """Give connections and lock files back; nothing may be running any more."""
        while self._readers:
            self._readers.pop().close()
        self._engine.dispose()
        self._gate.close()

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one unchanging view of the database; whatever it writes is rolled back.

        Raises Conflict when the database stays busy past the deadline, Fault when it cannot be read.
        """
        return self._retry(lambda _deadline: self._read_once(work))

    def write(self, work: Callable[[Transaction], T], *, durable: bool = True) -> T:
        """Run `work` as the only writer; durable once this returns, undone when an exception leaves it.

        Without `durable` a power cut may take it back, and the disk is not waited for.
        Raises Conflict when no try went through before the deadline, Fault when the disk is full or fails (nothing is changed),
        and UnknownOutcome when that happens while committing (the change may be there or not).
        """
        # Whoever waits for the writer's lock or for the disk keeps nobody from reading.
        with self._aside:
            return self._retry(lambda deadline: self._write_once(work, deadline, durable))

    def _retry(self, attempt: Callable[[float], T]) -> T:
        deadline = self._clock() + self._patience
        pause = _FIRST_PAUSE
        while True:
            try:
                return attempt(deadline)
            except Conflict:
                # Spread, so that those who collided do not meet again.
                length = pause * (0.5 + self._random(1)[0] / 255)
                if self._clock() + length >= deadline:
                    raise
            self._sleep(length)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _read_once(self, work: Callable[[Transaction], T]) -> T:
        with _translated():
            connection = self._reader()
            try:
                transaction = dialect.begin(connection, write=False)
                result = work(Transaction(connection))
                transaction.rollback()
            except BaseException:
                connection.close()  # which rolls back as well
                raise
            if len(self._readers) < self._most_readers:
                self._readers.append(connection)
            else:
                connection.close()
            return result

    def _reader(self) -> sa.Connection:
        try:
            return self._readers.pop()
        except IndexError:
            return self._engine.connect()

    def _write_once(self, work: Callable[[Transaction], T], deadline: float, durable: bool) -> T:
        # The gate comes before the connection: writers in line must not keep readers from theirs.
        with _translated(), self._gate.turn(deadline), self._engine.connect() as connection:
            transaction = dialect.begin(connection, write=True, durable=durable)
            result = work(Transaction(connection))
            if not dialect.still_open(connection):
                # An error inside `work` that somebody caught; a commit would now claim success for nothing.
                raise Fault(
                    "The database gave the transaction up and nothing was changed; the log says why. Send the request again."
                )
            try:
                transaction.commit()
            except (DBAPIError, sqlite3.Error) as error:
                dialect.abandon(connection)
                raise UnknownOutcome(f"Whether the change was kept is unknown. {dialect.translate(error)}") from error
            return result


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        raise dialect.translate(error) from error
    except PoolTimeout as error:
        raise Conflict("Every connection to the database is in use.") from error
