"""The door before the password: claim → verify → act, like the gate's, for somebody who is not known yet.

Before the password is right, every failure is the same in words and in work: one try counted, the same look-ups, one Argon2id
verification, one event that is written a moment later.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from instep.api.common import AWSError
from instep.domain import ids, sign_in
from instep.domain.audit_event import AuditEvent
from instep.domain.identity import Account, LoginProfile, Principal, PrincipalKind, RootUser, User
from instep.domain.ids import Random
from instep.domain.password import is_password
from instep.domain.sign_in import PAGE_OF, Failures, Next, PasswordAge, PasswordTries, Session, State
from instep.services.audit import audit_event
from instep.services.faults import Conflict, Fault
from instep.services.gate import Trail
from instep.services.ports import Store, Transaction, Vault
from instep.services.signin import events, factors, sessions
from instep.services.signin.refusals import AuthenticationFailed, PasswordExpired, SessionExpired, Waiting
from instep.settings import Settings

# Of no password, with the parameters that hashes are made with: what is verified where there is none.
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$MxPuNnwL0sGRku1NnzlOxw$eOfkif7KQaUIp9bF2hzR+APBjUQe29HQBNCPvfe4JeE"
# Looked for where there is no account, or no user, so that it takes as many SELECTs.
_NO_ACCOUNT, _NO_USER = "000000000000", ""
_REGION = "us-east-1"
# Whoever has an IPv6 address has all of its network.
_NETWORK_BITS = 64
# A session that is looked at often is written at most so often.
_BETWEEN_SEEN = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody typed.  `account`: an id or alias, None for the root user, whose `name` is an e-mail address."""

    account: str | None
    name: str = field(repr=False)
    password: str = field(repr=False)
    request_id: str
    source_ip: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Entered:
    """The password was right.  `session_id` is for the cookie; `user_name` is None for the root user."""

    session_id: str = field(repr=False)
    next: Next
    account_id: str
    account_alias: str | None
    user_name: str | None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as a page needs it before anything is asked of the gate.  `ends_at`: unless there is another request before."""

    state: State
    principal: Principal
    csrf_token: str = field(repr=False)
    ends_at: datetime

    @property
    def next(self) -> Next:
        return PAGE_OF[self.state]


@dataclass(frozen=True, slots=True)
class _Known:
    """What there is under the names that were typed; of somebody without a password, the hash of nobody's."""

    account: Account | None
    holder: User | RootUser | None
    profile: LoginProfile | None
    password_hash: str = field(repr=False)
    has_password: bool

    @property
    def holder_id(self) -> str:
        match self.holder:
            case User(user_id=user_id):
                return user_id
            case RootUser(account_id=account_id):
                return account_id
            case _:
                return _NO_USER


class SignIn:
    """Time, randomness and the way to verify a password are passed in; the store retries each transaction as a whole."""

    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        settings: Settings,
        trail: Trail,
        clock: Callable[[], datetime],
        random: Random,
        slow: AbstractContextManager[None],
        verify: Callable[[str, str], bool] = is_password,
    ) -> None:
        self._store = store
        self._vault = vault
        self._settings = settings
        self._trail = trail
        self._clock = clock
        self._random = random
        self._slow = slow
        self._verify = verify

    def enter(self, entry: Entry) -> Entered:
        """A session in its first state, or a whole one where nothing else is needed.

        Raises AuthenticationFailed, Waiting while the name or the address waits (nothing is looked at), PasswordExpired, and
        Fault when the database stays busy.
        """
        try:
            return self._enter(replace(entry, name=_clean(entry.name), password=_clean(entry.password)), self._clock())
        except Conflict:
            raise Fault("The database stayed busy and nobody was signed in; try again.") from None

    def session(self, session_id: str) -> OpenSession | None:
        """The session of a cookie, which goes on being used; None when there is none, or it is over."""
        now = self._clock()
        try:
            session, principal = self._store.read(lambda tx: sessions.find(tx, self._vault, self._settings, session_id, now))
        except SessionExpired:
            return None
        if (now - session.seen_at).total_seconds() >= _BETWEEN_SEEN:
            # Not waiting for the disk, nor for a database that is busy: the session was merely idle for a minute longer.
            with suppress(Conflict):
                self._store.write(lambda tx: tx.sign_ins.seen(session, now), durable=False)
            session = replace(session, seen_at=now)
        return OpenSession(session.state, principal, self.csrf_token(session_id), session.ends_at(self._settings.signin.idle))

    def csrf_token(self, session_id: str) -> str:
        """What the forms of this cookie carry, before and after the password."""
        return sessions.csrf_token(self._vault, session_id)

    def _enter(self, entry: Entry, now: datetime) -> Entered:
        name_key, address_key = self._keys(entry)
        tries = _tries(self._settings)
        # Not waiting for the disk: a count that only a power cut can undo is good enough.
        claimed = self._store.write(lambda tx: tx.sign_ins.claim_password((name_key, address_key), now, tries), durable=False)
        if isinstance(claimed, datetime):
            self._trail.stranger(Waiting.code, now)
            raise Waiting(claimed)
        known = self._store.read(lambda tx: _look_up(tx, entry))
        with self._slow:
            # Verified whatever there is: it takes the same time.
            right = self._verify(entry.password, known.password_hash)
        if not (right and known.has_password):
            raise self._failed(entry, known, now)
        done = self._store.write(lambda tx: self._act(tx, entry, known, now, (name_key, address_key, claimed[address_key])))
        match done:
            case AuthenticationFailed():
                raise self._failed(entry, known, now)
            case AWSError():
                raise done
            case _:
                return done

    def _act(
        self, tx: Transaction, entry: Entry, known: _Known, now: datetime, counted: tuple[str, str, Failures]
    ) -> Entered | AWSError:
        """The write, with its event.  Who it is is looked up again: the password may have been changed in between."""
        again = _look_up(tx, entry)
        if (again.holder_id, again.password_hash) != (known.holder_id, known.password_hash) or again.account is None:
            return AuthenticationFailed()
        name_key, address_key, of_address = counted
        tx.sign_ins.clear_failures(name_key)
        tx.sign_ins.take_back(address_key, of_address)
        account_id = again.account.account_id
        age = PasswordAge.GOOD
        if again.profile is not None:
            age = sign_in.password_age(again.profile, tx.accounts.password_policy(account_id), now)
        if age is PasswordAge.EXPIRED:
            refusal = PasswordExpired()
            tx.audit_events.append([self._login(entry, again, now, failure=events.FAILED, reason=refusal.reason)])
            return refusal
        choice = factors.of_holder(tx, account_id, again.holder_id)
        state = sign_in.state_after(factor_missing=bool(choice), must_change=age is PasswordAge.CHANGE)
        session_id = sessions.new_id(self._random)
        session = self._new_session(account_id, again, session_id, state, now)
        tx.sign_ins.add(session)
        tx.sign_ins.password_used(account_id, again.holder_id, now)
        if choice:
            event = self._event(entry, again, now, session)
            told = events.of_sign_in(event.event, "CheckMfa", MfaType=factors.mfa_type(choice))
            tx.audit_events.append([replace(event, event=told)])
        else:
            tx.audit_events.append([self._login(entry, again, now, session=session)])
        user_name = again.holder.user_name if isinstance(again.holder, User) else None
        return Entered(session_id, PAGE_OF[state], account_id, again.account.alias, user_name)

    def _new_session(self, account_id: str, known: _Known, session_id: str, state: State, now: datetime) -> Session:
        return Session(
            account_id=account_id,
            access_key_id=ids.temporary_access_key_id(self._random),
            session_key=sessions.key_of(self._vault, session_id),
            holder_id=known.holder_id,
            state=state,
            password_key=sessions.password_key(self._vault, known.password_hash),
            began_at=now,
            seen_at=now,
            expires_at=now + sessions.length_of(self._settings, state),
        )

    def _failed(self, entry: Entry, known: _Known, now: datetime) -> AuthenticationFailed:
        """Written down in the account, where there is one; a moment later, so that nobody can tell by the time it takes."""
        failure = events.FAILED if known.holder is not None else events.NO_SUCH_USER
        event = self._login(entry, known, now, failure=failure)
        if known.account is None:
            self._trail.stranger(AuthenticationFailed.code, now)
        else:
            self._trail.later(event)
        return AuthenticationFailed()

    def _login(
        self,
        entry: Entry,
        known: _Known,
        now: datetime,
        *,
        session: Session | None = None,
        failure: str | None = None,
        reason: str | None = None,
    ) -> AuditEvent:
        event = self._event(entry, known, now, session)
        told = events.of_sign_in(
            event.event,
            "ConsoleLogin",
            failure=failure,
            LoginTo=events.login_to(self._settings),
            MobileVersion="No",
            MFAUsed="No",
            reason=reason,
        )
        return replace(event, event=told)

    def _event(self, entry: Entry, known: _Known, now: datetime, session: Session | None) -> AuditEvent:
        """As of an API call, to be reshaped."""
        principal = _principal(known)
        if session is not None:
            principal = replace(principal, access_key_id=session.access_key_id)
        event = audit_event(
            principal,
            service="signin",
            name="ConsoleLogin",
            reads=False,
            now=now,
            random=self._random,
            request_id=entry.request_id,
            region=_REGION,
            source_ip=entry.source_ip,
            user_agent=entry.user_agent,
            asked=None,
            answered=None,
            refusal=None,
            additional={},
        )
        if known.holder is not None:
            return event
        identity = {"type": PrincipalKind.USER.value, "accountId": principal.account_id, "userName": events.HIDDEN}
        return replace(event, event={**event.event, "userIdentity": identity})

    def _keys(self, entry: Entry) -> tuple[str, str]:
        """Under which the tries for this name, and from this address, are counted."""
        account = "root" if entry.account is None else f"account {sign_in.typed_account(_clean(entry.account))}"
        name = f"{account}\0{sign_in.typed_name(entry.name)}"
        fingerprint = self._vault.fingerprint
        return fingerprint(b"name\0" + name.encode()), fingerprint(b"address\0" + _network(entry.source_ip).encode())


def _look_up(tx: Transaction, entry: Entry) -> _Known:
    if entry.account is None:
        root = tx.sign_ins.root_by_email(sign_in.typed_name(entry.name))
        account = tx.accounts.find(root.account_id if root else _NO_ACCOUNT)
        return _Known(account, root, None, root.password_hash if root else _NOBODYS, root is not None)
    typed = sign_in.typed_account(_clean(entry.account))
    account = tx.accounts.find(typed) if sign_in.is_account_id(typed) else tx.accounts.find_by_alias(typed)
    account_id = account.account_id if account else _NO_ACCOUNT
    user = tx.users.find(account_id, sign_in.typed_name(entry.name))
    profile = tx.login_profiles.find(account_id, user.user_id if user else _NO_USER)
    return _Known(account, user, profile, profile.password_hash if profile else _NOBODYS, profile is not None)


def _principal(known: _Known) -> Principal:
    match known.holder:
        case User():
            return Principal.user(known.holder)
        case RootUser(account_id=account_id):
            return Principal.root(account_id)
        case _:
            account_id = known.account.account_id if known.account else _NO_ACCOUNT
            return Principal(PrincipalKind.USER, account_id, _NO_USER, "")


def _tries(settings: Settings) -> PasswordTries:
    signin = settings.signin
    return PasswordTries(
        waits_from=signin.password_failures,
        within=signin.password_failures_within,
        longest_wait=signin.longest_password_wait,
    )


def _network(source_ip: str) -> str:
    try:
        address = ipaddress.ip_address(source_ip)
    except ValueError:
        return source_ip
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, _NETWORK_BITS), strict=False))


def _clean(text: str) -> str:
    """Without what no database and no hash takes: halves of characters."""
    return text.encode("utf-8", "replace").decode()
