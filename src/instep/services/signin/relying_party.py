"""Whom security keys are registered with, and for: the site as people's browsers see it."""

from __future__ import annotations

from urllib.parse import urlsplit

from instep.domain.fido import Holder, RelyingParty
from instep.domain.identity import User
from instep.services.ports import Transaction
from instep.settings import Settings

_NAME = "instep"
_ROOT = "root"
_PORTS = {"http": 80, "https": 443}


def relying_party(settings: Settings) -> RelyingParty:
    """That of `server.public_url`, which is http://localhost:PORT unless it is set.

    Keys are bound to its host name for good: on another one, each has to be registered anew.
    """
    url = urlsplit(settings.server.public_url)
    host = url.hostname or "localhost"
    if not host.isascii():
        # Browsers speak of such hosts in Punycode.
        host = host.encode("idna").decode()
    port = "" if url.port in (None, _PORTS[url.scheme]) else f":{url.port}"
    return RelyingParty(host, _NAME, frozenset({f"{url.scheme}://{host}{port}"}))


def key_holder(tx: Transaction, account_id: str, user: User | None) -> Holder:
    """A user, or the root user for None, as their browser is to list the key: Richard@example."""
    account = tx.accounts.find(account_id)
    of_account = account.alias if account is not None and account.alias else account_id
    return Holder(
        account_id=account_id,
        holder_id=account_id if user is None else user.user_id,
        name=f"{_ROOT if user is None else user.user_name}@{of_account}",
    )
