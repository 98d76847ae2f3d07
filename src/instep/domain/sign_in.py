"""Signing in: how long a session lasts, how wrong passwords slow guessing down, and what comes after the right one."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from instep.domain.identity import LoginProfile
from instep.domain.password_policy import PasswordPolicy

PROMPT_FROM: Final = 2
"""From so many wrong codes in one sign-in on, the page leads to resynchronizing."""

# Each further failure waits for the next of these; after the last one, as long again.
_WAITS: Final = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900))
_ACCOUNT_ID_LENGTH: Final = 12


class State(StrEnum):
    """How far a sign-in has come.  In the first two the session reaches nothing but the rest of the sign-in."""

    PASSWORD_OK = "password-ok"  # noqa: S105
    MUST_CHANGE_PASSWORD = "must-change-password"  # noqa: S105
    SIGNED_IN = "signed-in"


class Next(StrEnum):
    """The page to show."""

    MFA = "mfa"
    CHANGE_PASSWORD = "change-password"  # noqa: S105
    HOME = "home"


PAGE_OF: Final = {State.PASSWORD_OK: Next.MFA, State.MUST_CHANGE_PASSWORD: Next.CHANGE_PASSWORD, State.SIGNED_IN: Next.HOME}


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """The last code that was refused in a sign-in: its successor, typed next, makes a pair of them."""

    serial_number: str
    sealed_code: bytes = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in, from the right password to its end.

    `session_key` is the fingerprint of the id in the person's cookie, another after each step; `access_key_id` names the session
    all along, in the audit trail too, and is no secret.  `holder_id`: the user's id, or the account's for the root user.
    `password_key` is the fingerprint of the password's hash as it was when it was entered.  `began_at`: when this state began;
    `seen_at`: the last request.
    """

    account_id: str
    access_key_id: str
    session_key: str = field(repr=False)
    holder_id: str
    state: State
    password_key: str = field(repr=False)
    began_at: datetime
    seen_at: datetime
    expires_at: datetime
    mfa_serial: str | None = None
    mfa_at: datetime | None = None
    wrong_codes: int = 0
    entry: RefusedEntry | None = None
    revision: int = 0

    @property
    def of_root(self) -> bool:
        return self.holder_id == self.account_id

    def ends_at(self, idle: timedelta) -> datetime:
        """When it is over, unless there is another request before."""
        return min(self.expires_at, self.seen_at + idle) if self.state is State.SIGNED_IN else self.expires_at


def state_after(*, factor_missing: bool, must_change: bool) -> State:
    """`factor_missing`: there are MFA devices, and none of them was used yet."""
    if factor_missing:
        return State.PASSWORD_OK
    return State.MUST_CHANGE_PASSWORD if must_change else State.SIGNED_IN


class PasswordAge(StrEnum):
    GOOD = "good"
    CHANGE = "change"
    """It signs in once more, to be changed."""
    EXPIRED = "expired"
    """Only an administrator can set another."""


def password_age(profile: LoginProfile, policy: PasswordPolicy | None, now: datetime) -> PasswordAge:
    """What the right password is still good for (IAM User Guide, "Set an account password policy for IAM users")."""
    too_old = policy is not None and policy.max_age is not None and now >= profile.changed_at + timedelta(days=policy.max_age)
    if too_old and policy is not None and policy.hard_expiry:
        return PasswordAge.EXPIRED
    return PasswordAge.CHANGE if too_old or profile.reset_required else PasswordAge.GOOD


@dataclass(frozen=True, slots=True)
class PasswordTries:
    """How wrong passwords slow further ones down.

    After `waits_from` of them, each no later than `within` after the one before (or after the wait that it brought), the next
    is looked at only after a wait, which grows with each failure up to `longest_wait`.
    """

    waits_from: int
    within: timedelta
    longest_wait: timedelta

    def wait_after(self, failures: int) -> timedelta:
        if failures < self.waits_from:
            return timedelta(0)
        return min(_WAITS[min(failures - self.waits_from, len(_WAITS) - 1)], self.longest_wait)


@dataclass(frozen=True, slots=True)
class Failures:
    """Wrong passwords of late: for one name, or from one address.  `next_at`: when the next one is looked at, None: at once."""

    count: int
    last_at: datetime
    next_at: datetime | None = None

    def waiting_until(self, now: datetime, tries: PasswordTries) -> datetime | None:
        # A time farther off was written before the server's clock was set back: no wait is that long.
        waiting = self.next_at is not None and now < self.next_at <= now + tries.longest_wait
        return self.next_at if waiting else None


def one_more(before: Failures | None, now: datetime, tries: PasswordTries) -> Failures:
    """With another try, which counts as failed until it is known to be right."""
    forgotten = before is None or now >= (before.next_at or before.last_at) + tries.within
    count = 1 if forgotten or before is None else before.count + 1
    wait = tries.wait_after(count)
    return Failures(count, now, now + wait if wait else None)


def typed_account(text: str) -> str:
    """An account id or alias as people type it: full-width digits, and spaces or hyphens between the digits of an id."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    digits = "".join(character for character in plain if character not in " -")
    return digits if len(digits) == _ACCOUNT_ID_LENGTH and digits.isascii() and digits.isdigit() else plain


def is_account_id(account: str) -> bool:
    """Of what `typed_account` gave: whether it is an id rather than an alias."""
    return len(account) == _ACCOUNT_ID_LENGTH and account.isascii() and account.isdigit()


def typed_name(text: str) -> str:
    """A user name or an e-mail address as it is compared; ignoring case, as both are looked up."""
    return unicodedata.normalize("NFKC", text).strip().casefold()
