"""Passwords of users, and credential reports."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from instep.api.errors import EntityAlreadyExists
from instep.domain.credential_report import CredentialReport
from instep.domain.identity import LoginProfile
from instep.domain.mfa import CodeTries
from instep.domain.password_policy import MOST_REMEMBERED
from instep.services.faults import Conflict
from instep.storage.repositories.repository import Repository, insert_new
from instep.storage.schema import credential_reports, login_profiles, old_passwords, users

# No two old passwords of a user are kept under one time.
_NEXT: timedelta = timedelta(milliseconds=1)

_of_account = login_profiles.c.account_id == sa.bindparam("of_account")
_row_is = sa.and_(_of_account, login_profiles.c.user_id == sa.bindparam("of_user"))
_old_are = sa.and_(old_passwords.c.account_id == sa.bindparam("of_account"), old_passwords.c.user_id == sa.bindparam("of_user"))

_FIND = sa.select(login_profiles).where(_row_is)
_ALL = sa.select(login_profiles).where(_of_account)
_ADD = insert_new(login_profiles)
_TRIES = sa.select(login_profiles.c.misses, login_profiles.c.next_try_at).where(_row_is)
_CLAIM = (
    sa.update(login_profiles)
    .where(_row_is, login_profiles.c.misses == sa.bindparam("known"))
    .values(misses=sa.bindparam("counted"), next_try_at=sa.bindparam("next_at", type_=login_profiles.c.next_try_at.type))
    .returning(login_profiles.c.misses)
)
_USER_NAME = sa.select(users.c.user_name).where(
    users.c.account_id == sa.bindparam("of_account"), users.c.user_id == sa.bindparam("of_user")
)
_OLD_HASHES = (
    sa.select(old_passwords.c.password_hash)
    .where(_old_are)
    .order_by(old_passwords.c.changed_at.desc())
    .limit(sa.bindparam("limit"))
)
_NEWEST_OLD = sa.select(old_passwords.c.changed_at).where(_old_are).order_by(old_passwords.c.changed_at.desc()).limit(1)
_OLDEST_REMEMBERED = _NEWEST_OLD.offset(MOST_REMEMBERED - 1)
_ADD_OLD = insert_new(old_passwords)
_FORGET = sa.delete(old_passwords).where(
    _old_are, old_passwords.c.changed_at < sa.bindparam("remembered", type_=old_passwords.c.changed_at.type)
)
_REPORT = sa.select(credential_reports).where(credential_reports.c.account_id == sa.bindparam("of_account"))
_new_report = sqlite.insert(credential_reports)
_KEEP_REPORT = _new_report.on_conflict_do_update(
    index_elements=[credential_reports.c.account_id],
    set_={"generated_at": _new_report.excluded.generated_at, "content": _new_report.excluded.content},
)


class LoginProfiles(Repository):
    __slots__ = ()

    def add(self, profile: LoginProfile) -> None:
        """Raises EntityAlreadyExists ("Login Profile for user X already exists.", X being the user's name)."""
        row = {
            "account_id": profile.account_id,
            "user_id": profile.user_id,
            "password_hash": profile.password_hash,
            "created_at": profile.created_at,
            "changed_at": profile.changed_at,
            "reset_required": profile.reset_required,
            "misses": 0,
            "next_try_at": None,
            "revision": profile.revision,
        }
        if not self._add(_ADD, row):
            user_name = self._connection.execute(_USER_NAME, _of(profile)).scalar_one()
            raise EntityAlreadyExists(f"Login Profile for user {user_name} already exists.")

    def find(self, account_id: str, user_id: str) -> LoginProfile | None:
        row = self._connection.execute(_FIND, {"of_account": account_id, "of_user": user_id}).one_or_none()
        return None if row is None else _profile_of(row)

    def all(self, account_id: str) -> dict[str, LoginProfile]:
        """By user id."""
        rows = self._connection.execute(_ALL, {"of_account": account_id})
        return {row.user_id: _profile_of(row) for row in rows}

    def change(self, profile: LoginProfile, *, password_hash: str, changed_at: datetime, reset_required: bool) -> None:
        """Keeps the password that it had among the old ones.  Raises Conflict when it is no longer the newest revision.

        No try at the password that it had counts any longer.
        """
        self._change(
            profile,
            password_hash=password_hash,
            changed_at=changed_at,
            reset_required=reset_required,
            misses=0,
            next_try_at=None,
        )
        self._remember(profile)

    def set_reset_required(self, profile: LoginProfile, reset_required: bool) -> None:
        self._change(profile, reset_required=reset_required)

    def claim(self, profile: LoginProfile, now: datetime, tries: CodeTries) -> bool:
        """Count a try at the password before it is looked at.  False: it is waiting, nothing was counted.

        It waits, but never stops: somebody with another's access key must not be able to take their password from them.
        """
        row = self._connection.execute(_TRIES, _of(profile)).one_or_none()
        if row is None:
            raise Conflict("The login profile is gone.")
        # A time farther off was written before the server's clock was set back: no wait is that long.
        if row.next_try_at is not None and now < row.next_try_at <= now + tries.longest_wait:
            return False
        counted = row.misses + 1
        wait = tries.wait_after(counted)
        next_at = now + wait if wait else None
        # Conditional, so that two tries at once do not share a count.
        parameters = {**_of(profile), "known": row.misses, "counted": counted, "next_at": next_at}
        if self._connection.execute(_CLAIM, parameters).first() is None:
            raise Conflict("Another try was counted in the meantime.")
        return True

    def old_hashes(self, account_id: str, user_id: str, *, limit: int) -> list[str]:
        """Of passwords that were in use before, newest first."""
        parameters = {"of_account": account_id, "of_user": user_id, "limit": limit}
        return list(self._connection.execute(_OLD_HASHES, parameters).scalars())

    def delete(self, profile: LoginProfile) -> None:
        """Its password stays among the old ones."""
        self._revisions.delete(login_profiles, _key(profile), profile.revision)
        self._remember(profile)

    def report(self, account_id: str) -> CredentialReport | None:
        row = self._connection.execute(_REPORT, {"of_account": account_id}).one_or_none()
        return None if row is None else CredentialReport(generated_at=row.generated_at, content=row.content)

    def keep_report(self, account_id: str, report: CredentialReport) -> None:
        """In the place of the one before."""
        row = {"account_id": account_id, "generated_at": report.generated_at, "content": report.content}
        self._connection.execute(_KEEP_REPORT, row)

    def _remember(self, profile: LoginProfile) -> None:
        """Its password among the old ones, which are kept in their order also when the server's clock was set back."""
        newest = self._connection.execute(_NEWEST_OLD, _of(profile)).scalar()
        at = profile.changed_at if newest is None else max(profile.changed_at, newest + _NEXT)
        row = {**_key(profile), "changed_at": at, "password_hash": profile.password_hash}
        if not self._add(_ADD_OLD, row):
            raise Conflict("Another password was put among the old ones in the meantime.")
        remembered = self._connection.execute(_OLDEST_REMEMBERED, _of(profile)).scalar()
        if remembered is not None:
            self._connection.execute(_FORGET, {**_of(profile), "remembered": remembered})

    def _change(self, profile: LoginProfile, **values: Any) -> None:
        self._revisions.update(login_profiles, _key(profile), profile.revision, **values)


def _profile_of(row: Any) -> LoginProfile:
    return LoginProfile(
        account_id=row.account_id,
        user_id=row.user_id,
        password_hash=row.password_hash,
        created_at=row.created_at,
        changed_at=row.changed_at,
        reset_required=row.reset_required,
        revision=row.revision,
    )


def _key(profile: LoginProfile) -> dict[str, str]:
    return {"account_id": profile.account_id, "user_id": profile.user_id}


def _of(profile: LoginProfile) -> dict[str, str]:
    """The same for statements whose columns bear the names."""
    return {"of_account": profile.account_id, "of_user": profile.user_id}
