"""Sign-in sessions, wrong passwords of late, and when passwords were last used."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from instep.domain.identity import RootUser
from instep.domain.sign_in import Failures, PasswordTries, RefusedEntry, Session, State, one_more
from instep.services.faults import Conflict
from instep.storage.repositories.repository import Repository, insert_new
from instep.storage.schema import UTCTimestamp, root_users, sign_in_sessions, sign_in_waits, users

_session = sign_in_sessions.c
_wait = sign_in_waits.c
_key_is = sa.and_(_session.account_id == sa.bindparam("of_account"), _session.access_key_id == sa.bindparam("of_key"))

_ADD = insert_new(sign_in_sessions)
_FIND = sa.select(sign_in_sessions).where(_session.session_key == sa.bindparam("of_session"))
_FIND_BY_KEY = sa.select(sign_in_sessions).where(_key_is)
_SEEN = (
    sa.update(sign_in_sessions)
    .where(_key_is, _session.seen_at < sa.bindparam("now", type_=UTCTimestamp))
    .values(seen_at=sa.bindparam("now", type_=UTCTimestamp))
)
_END_ALL = (
    sa.delete(sign_in_sessions)
    .where(_session.account_id == sa.bindparam("of_account"), _session.holder_id == sa.bindparam("of_holder"))
    .returning(_session.access_key_id)
)
_KEEP_CHALLENGE = (
    sa.update(sign_in_sessions)
    .where(_key_is)
    .values(challenge=sa.bindparam("kept"), challenge_at=sa.bindparam("at", type_=UTCTimestamp))
    .returning(_session.access_key_id)
)
_CHALLENGE = sa.select(_session.challenge, _session.challenge_at).where(_key_is, _session.challenge.is_not(None))
_TAKE_CHALLENGE = (
    sa.update(sign_in_sessions)
    .where(_key_is, _session.challenge == sa.bindparam("known"))
    .values(challenge=sa.null(), challenge_at=sa.null())
    .returning(_session.access_key_id)
)
_OVER = (
    sa.select(_session.account_id, _session.access_key_id)
    .where(_session.expires_at < sa.bindparam("now", type_=UTCTimestamp))
    .limit(sa.bindparam("limit"))
)
_SWEEP_SESSIONS = (
    sa.delete(sign_in_sessions)
    .where(sa.tuple_(_session.account_id, _session.access_key_id).in_(_OVER))
    .returning(_session.access_key_id)
)

_WAITS = sa.select(sign_in_waits).where(_wait.wait_key.in_(sa.bindparam("keys", expanding=True)))
_ADD_WAIT = insert_new(sign_in_waits)
_COUNT = (
    sa.update(sign_in_waits)
    .where(
        _wait.wait_key == sa.bindparam("of_key"),
        _wait.failures == sa.bindparam("known"),
        _wait.last_at == sa.bindparam("known_at", type_=UTCTimestamp),
    )
    .values(
        failures=sa.bindparam("counted"),
        last_at=sa.bindparam("at", type_=UTCTimestamp),
        next_at=sa.bindparam("next", type_=UTCTimestamp),
    )
    .returning(_wait.failures)
)
_CLEAR = sa.delete(sign_in_waits).where(_wait.wait_key == sa.bindparam("of_key"))
_TAKE_BACK = (
    sa.update(sign_in_waits)
    .where(_wait.wait_key == sa.bindparam("of_key"), _wait.failures > 0)
    .values(
        failures=_wait.failures - 1,
        # A wait that another try brought in the meantime stays.
        next_at=sa.case((_wait.next_at == sa.bindparam("ours", type_=UTCTimestamp), sa.null()), else_=_wait.next_at),
    )
)
_SWEEP_WAITS = (
    sa.delete(sign_in_waits)
    .where(
        _wait.wait_key.in_(
            sa.select(_wait.wait_key)
            .where(_wait.last_at < sa.bindparam("before", type_=UTCTimestamp))
            .limit(sa.bindparam("limit"))
        )
    )
    .returning(_wait.wait_key)
)

_ROOT_BY_EMAIL = sa.select(root_users).where(root_users.c.email_key == sa.bindparam("email_key"))


def _later(table: sa.Table, *row: sa.ColumnElement[bool]) -> sa.Executable:
    used = table.c.password_last_used
    at = sa.bindparam("at", type_=UTCTimestamp)
    return sa.update(table).where(*row, sa.or_(used.is_(None), used < at)).values(password_last_used=at)


_USER_SIGNED_IN = _later(users, users.c.account_id == sa.bindparam("of_account"), users.c.user_id == sa.bindparam("of_holder"))
_ROOT_SIGNED_IN = _later(root_users, root_users.c.account_id == sa.bindparam("of_account"))


@dataclass(frozen=True, slots=True)
class _Counted:
    before: Failures | None
    after: Failures


class SignIns(Repository):
    __slots__ = ()

    def add(self, session: Session) -> None:
        if not self._add(_ADD, {**_key(session), **_columns(session), "revision": session.revision}):
            raise Conflict("There is a session of this id.")

    def find(self, session_key: str) -> Session | None:
        """By the fingerprint of the id in the cookie, which names no account."""
        return _session_or_none(self._connection.execute(_FIND, {"of_session": session_key}).one_or_none())

    def find_by_key(self, account_id: str, access_key_id: str) -> Session | None:
        row = self._connection.execute(_FIND_BY_KEY, {"of_account": account_id, "of_key": access_key_id}).one_or_none()
        return _session_or_none(row)

    def put(self, session: Session) -> None:
        """As it is now, in the place of what it was at its revision.  Raises Conflict when it was changed or ended since."""
        self._revisions.update(sign_in_sessions, _key(session), session.revision, **_columns(session))

    def seen(self, session: Session, now: datetime) -> None:
        """Not a change that anything depends on; never turned back."""
        self._connection.execute(_SEEN, {"of_account": session.account_id, "of_key": session.access_key_id, "now": now})

    def keep_challenge(self, session: Session, sealed: bytes, at: datetime) -> None:
        """In the place of one kept before.  Raises Conflict when the session ended."""
        of = {"of_account": session.account_id, "of_key": session.access_key_id}
        if self._connection.execute(_KEEP_CHALLENGE, {**of, "kept": sealed, "at": at}).first() is None:
            raise Conflict("The session ended in the meantime.")

    def take_challenge(self, session: Session) -> tuple[bytes, datetime] | None:
        """The one kept, which is there no longer, and since when.  Raises Conflict when another answer took it first."""
        of = {"of_account": session.account_id, "of_key": session.access_key_id}
        row = self._connection.execute(_CHALLENGE, of).one_or_none()
        if row is None:
            return None
        # Conditional, so that of two answers at once one finds none.
        if self._connection.execute(_TAKE_CHALLENGE, {**of, "known": row.challenge}).first() is None:
            raise Conflict("The challenge was taken in the meantime.")
        return row.challenge, row.challenge_at

    def end(self, session: Session) -> None:
        self._revisions.delete(sign_in_sessions, _key(session), session.revision)

    def end_all(self, account_id: str, holder_id: str) -> int:
        """Every session of a user or the root user.  How many ended."""
        return len(self._connection.execute(_END_ALL, {"of_account": account_id, "of_holder": holder_id}).all())

    def claim_password(self, keys: Collection[str], now: datetime, tries: PasswordTries) -> Mapping[str, Failures] | datetime:
        """Count a try under each of `keys` before it is looked at.

        What is counted now, by key; or, when any of them is waiting, until when (the latest), and nothing was counted.
        """
        rows = self._connection.execute(_WAITS, {"keys": list(keys)})
        known = {row.wait_key: Failures(row.failures, row.last_at, row.next_at) for row in rows}
        waits = [until for one in known.values() if (until := one.waiting_until(now, tries)) is not None]
        if waits:
            return max(waits)
        counted = {key: _Counted(known.get(key), one_more(known.get(key), now, tries)) for key in sorted(keys)}
        for key, one in counted.items():
            self._count(key, one)
        return {key: one.after for key, one in counted.items()}

    def clear_failures(self, key: str) -> None:
        """The password of that name was right: none counts any longer."""
        self._connection.execute(_CLEAR, {"of_key": key})

    def take_back(self, key: str, counted: Failures) -> None:
        """That try was no failure; the others stay counted."""
        self._connection.execute(_TAKE_BACK, {"of_key": key, "ours": counted.next_at})

    def root_by_email(self, email: str) -> RootUser | None:
        """Whichever account it is of."""
        row = self._connection.execute(_ROOT_BY_EMAIL, {"email_key": email.casefold()}).one_or_none()
        if row is None:
            return None
        return RootUser(
            account_id=row.account_id,
            email=row.email,
            password_hash=row.password_hash,
            created_at=row.created_at,
            password_last_used=row.password_last_used,
        )

    def password_used(self, account_id: str, holder_id: str, at: datetime) -> None:
        """Never turns a later use back to an earlier one."""
        if holder_id == account_id:
            self._connection.execute(_ROOT_SIGNED_IN, {"of_account": account_id, "at": at})
        else:
            self._connection.execute(_USER_SIGNED_IN, {"of_account": account_id, "of_holder": holder_id, "at": at})

    def sweep(self, *, now: datetime, failed_before: datetime, limit: int) -> int:
        """Drop sessions that are over, and failures from before then.  How many rows went."""
        sessions = self._connection.execute(_SWEEP_SESSIONS, {"now": now, "limit": limit}).all()
        waits = self._connection.execute(_SWEEP_WAITS, {"before": failed_before, "limit": limit}).all()
        return len(sessions) + len(waits)

    def _count(self, key: str, counted: _Counted) -> None:
        before, after = counted.before, counted.after
        if before is None:
            row = {"wait_key": key, "failures": after.count, "last_at": after.last_at, "next_at": after.next_at}
            if not self._add(_ADD_WAIT, row):
                raise Conflict("Another try was counted in the meantime.")
            return
        # Conditional, so that two tries at once do not share a count.
        parameters = {
            "of_key": key,
            "known": before.count,
            "known_at": before.last_at,
            "counted": after.count,
            "at": after.last_at,
            "next": after.next_at,
        }
        if self._connection.execute(_COUNT, parameters).first() is None:
            raise Conflict("Another try was counted in the meantime.")


def _key(session: Session) -> dict[str, str]:
    return {"account_id": session.account_id, "access_key_id": session.access_key_id}


def _columns(session: Session) -> dict[str, Any]:
    entry = session.entry
    return {
        "session_key": session.session_key,
        "holder_id": session.holder_id,
        "state": session.state.value,
        "password_key": session.password_key,
        "began_at": session.began_at,
        "seen_at": session.seen_at,
        "expires_at": session.expires_at,
        "mfa_serial": session.mfa_serial,
        "mfa_at": session.mfa_at,
        "wrong_codes": session.wrong_codes,
        "entry_serial": None if entry is None else entry.serial_number,
        "entry_code": None if entry is None else entry.sealed_code,
        "entry_at": None if entry is None else entry.at,
    }


def _session_or_none(row: Any | None) -> Session | None:
    if row is None:
        return None
    entry = None if row.entry_code is None else RefusedEntry(row.entry_serial, row.entry_code, row.entry_at)
    return Session(
        account_id=row.account_id,
        access_key_id=row.access_key_id,
        session_key=row.session_key,
        holder_id=row.holder_id,
        state=State(row.state),
        password_key=row.password_key,
        began_at=row.began_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        mfa_serial=row.mfa_serial,
        mfa_at=row.mfa_at,
        wrong_codes=row.wrong_codes,
        entry=entry,
        revision=row.revision,
    )
