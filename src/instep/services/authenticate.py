"""Whose request it is: long-term keys and session tokens, by AWS Signature Version 4."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from instep.api.common import ExpiredToken, InvalidClientTokenId
from instep.domain import ids
from instep.domain.identity import AccessKey, KeyStatus, Principal, PrincipalKind, SessionScope, User
from instep.domain.session_token import SessionClaims
from instep.domain.sigv4 import HTTPRequest, Signature, check_signed_with, check_time, scoped_key
from instep.services.ports import Transaction, Vault

UNKNOWN_CREDENTIALS = "The security token included in the request is invalid."


# Scoped keys that are remembered: one for each access key, day, region and service in use.
_REMEMBERED = 1024


class _ScopedKeys:
    """What sealed secrets became within their scopes, so that the vault need not be opened for every request.

    Only what a signature has proven is remembered: the scope is the caller's own words.  Whether an access key is active is read
    anew for each request all the same.
    """

    def __init__(self) -> None:
        self._keys: dict[tuple[object, ...], bytes] = {}

    def find(self, vault: Vault, signature: Signature, sealed_secret: bytes) -> bytes:
        known = self._keys.get(self._place(vault, signature, sealed_secret))
        if known is not None:
            return known
        secret = vault.open(sealed_secret, **sealed_in(signature.access_key_id)).decode()
        return scoped_key(signature, secret)

    def remember(self, vault: Vault, signature: Signature, sealed_secret: bytes, key: bytes) -> None:
        if len(self._keys) >= _REMEMBERED:
            self._keys.clear()
        self._keys[self._place(vault, signature, sealed_secret)] = key

    def _place(self, vault: Vault, signature: Signature, sealed_secret: bytes) -> tuple[object, ...]:
        scope = (signature.date, signature.region, signature.service, signature.terminator)
        return (vault, signature.access_key_id, sealed_secret, *scope)


_scoped_keys = _ScopedKeys()


def authenticate(tx: Transaction, vault: Vault, request: HTTPRequest, signature: Signature, now: datetime) -> Principal:
    """The principal who signed.

    Raises InvalidClientTokenId for keys and tokens that are unknown, inactive, deleted or do not belong together, ExpiredToken
    (which wins over a bad signature), and SignatureDoesNotMatch.
    """
    if signature.access_key_id.startswith(ids.TEMPORARY_KEY):
        principal, key = _by_session_token(tx, vault, signature, now)
        check_time(signature, now)
        check_signed_with(key, signature, request)
        return principal
    principal, sealed_secret = _by_access_key(tx, signature)
    key = _scoped_keys.find(vault, signature, sealed_secret)
    check_time(signature, now)
    check_signed_with(key, signature, request)
    _scoped_keys.remember(vault, signature, sealed_secret, key)
    return principal


def sealed_in(access_key_id: str) -> dict[str, str]:
    """Where the secret of an access key is sealed."""
    return {"table": "access_keys", "column": "sealed_secret", "row": access_key_id}


def _by_access_key(tx: Transaction, signature: Signature) -> tuple[Principal, bytes]:
    found = tx.access_keys.find_with_holder(signature.access_key_id)
    if found is None or signature.session_token is not None:
        raise InvalidClientTokenId(UNKNOWN_CREDENTIALS)
    key, user = found
    if key.status is not KeyStatus.ACTIVE:
        raise InvalidClientTokenId(UNKNOWN_CREDENTIALS)
    return _holder(key, user, key.access_key_id), key.sealed_secret


def _by_session_token(tx: Transaction, vault: Vault, signature: Signature, now: datetime) -> tuple[Principal, bytes]:
    try:
        claims = SessionClaims.decode(vault.open_session_token(signature.session_token or ""))
    except ValueError:
        raise InvalidClientTokenId(UNKNOWN_CREDENTIALS) from None
    if claims.access_key_id != signature.access_key_id:
        raise InvalidClientTokenId(UNKNOWN_CREDENTIALS)
    if claims.kind is PrincipalKind.ROLE and claims.scope is not None:
        principal = _role_session(tx, claims, claims.scope)
    else:
        principal = _session_of_key(tx, claims)
    if claims.expires_at <= now:
        raise ExpiredToken("The security token included in the request is expired")
    return replace(principal, issued_at=claims.issued_at), scoped_key(signature, claims.secret_access_key)


def _role_session(tx: Transaction, claims: SessionClaims, scope: SessionScope) -> Principal:
    """It depends on the role alone, and no longer on whoever assumed it."""
    # By id, not by name: a role made again under the same name is another.
    role = tx.roles.find_by_id(claims.account_id, claims.holder_id)
    if role is None:
        raise InvalidClientTokenId(UNKNOWN_CREDENTIALS)
    return Principal.role_session(role, scope, claims.access_key_id)


def _session_of_key(tx: Transaction, claims: SessionClaims) -> Principal:
    """A session of a user or the root user, or a federated user: good as long as the access key that asked for it."""
    found = tx.access_keys.find_with_holder(claims.parent_access_key_id)
    if found is None:
        raise InvalidClientTokenId(UNKNOWN_CREDENTIALS)
    key, user = found
    # The holder is compared by id: a user made again under the same name is somebody else.
    if (key.account_id, key.holder_id) != (claims.account_id, claims.holder_id) or key.status is not KeyStatus.ACTIVE:
        raise InvalidClientTokenId(UNKNOWN_CREDENTIALS)
    holder = _holder(key, user, claims.access_key_id)
    if claims.scope is not None:
        return Principal.federated_user(holder, claims.scope, claims.access_key_id)
    return replace(holder, temporary=True, mfa_present=claims.mfa_present, mfa_at=claims.mfa_at)


def _holder(key: AccessKey, user: User | None, access_key_id: str) -> Principal:
    if key.of_root:
        return Principal.root(key.account_id, access_key_id)
    if user is None:
        raise InvalidClientTokenId(UNKNOWN_CREDENTIALS)
    return Principal.user(user, access_key_id)
