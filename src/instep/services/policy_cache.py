"""The policies that apply to a principal, compiled once and dropped at once when any policy of the account changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from instep.api.common import AccessDenied
from instep.domain import arn, aws_policies
from instep.domain.identity import Principal, PrincipalKind, SessionScope
from instep.domain.managed_policy import AWS
from instep.domain.policy.effort import REQUESTS, of_document
from instep.domain.policy.evaluation import Policies, Policy
from instep.domain.policy.reading import DocumentKind, read
from instep.services.ports import Transaction

# In characters of documents, which take some forty bytes each once they are compiled.  What callers bring themselves is kept
# apart, so that nobody crowds out the policies of others.
_KEPT, _KEPT_OF_SESSIONS = 2_000_000, 500_000
# Microseconds at worst for all policies of one principal, as `effort` estimates them; what people write takes a few thousand.
_MOST_EFFORT = 100_000

_FOR_OWN_LOGIN = """{
  "Version": "2012-10-17",
  "Statement": {"Effect": "Allow", "Action": ["iam:ChangePassword", "iam:GetAccountPasswordPolicy"], "Resource": "*"}
}"""


class PolicyCache:
    """One for each service.

    The account's revision of policies is read in the very transaction that decides, so no decision is ever made on policies that
    another request, process or command has changed since.  It must be asked before its transaction changes any policy itself.
    """

    def __init__(self) -> None:
        self._own = _Shelf(_KEPT)
        self._of_sessions = _Shelf(_KEPT_OF_SESSIONS)

    def of(self, tx: Transaction, principal: Principal) -> Policies:
        """All that limits and permits `principal`, but for resource-based policies."""
        account_id, scope = principal.account_id, principal.scope
        # Before any policy is read: what is newer than its revision is read once more, and never the other way round.
        revision = tx.accounts.policies_revision(account_id)
        place: tuple[str, ...] = (account_id, principal.kind.value, principal.holder_id, principal.permissions_boundary or "")
        policies = self._own.get(place, revision) or self._own.put(place, revision, _policies(tx, principal))
        if policies.effort > _MOST_EFFORT:
            raise _too_much(principal)
        if scope is None:
            return policies.policies
        # A federated user has what the session policies allow of the user's permissions, so nothing without any.
        if not scope.policies and not scope.policy_arns and principal.kind is not PrincipalKind.FEDERATED:
            return policies.policies
        place = (*place, *scope.policies, "", *scope.policy_arns)
        policies = self._of_sessions.get(place, revision) or self._of_sessions.put(
            place, revision, replace(policies.policies, session=_session(tx, account_id, scope))
        )
        if policies.effort > _MOST_EFFORT:
            raise _too_much(principal)
        return policies.policies


@dataclass(frozen=True, slots=True)
class _Kept:
    """`effort` is what it may take to ask them all once, in microseconds; `length` in characters."""

    revision: int
    policies: Policies
    length: int
    effort: float


def _too_much(principal: Principal) -> AccessDenied:
    """An error during evaluation denies.  One principal's policies must not stop the requests of all others."""
    return AccessDenied(
        f"User: {principal.arn} is not authorized to perform any action: all their policies together take too long to evaluate."
        " Detach some of them, or use fewer wildcards and variables in them."
    )


class _Shelf:
    """Keeps what was asked for lately, up to so many characters of documents."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()
        self._length = 0

    def get(self, place: tuple[str, ...], revision: int) -> _Kept | None:
        """None, too, when the revision is another."""
        with self._lock:
            kept = self._kept.get(place)
            if kept is None or kept.revision != revision:
                return None
            self._kept.move_to_end(place)
            return kept

    def put(self, place: tuple[str, ...], revision: int, policies: Policies) -> _Kept:
        documents = [policy.document for layer in policies.layers().values() for policy in layer]
        length = sum(map(len, place)) + sum(document.length for document in documents)
        kept = _Kept(revision, policies, length, sum(of_document(document, REQUESTS) for document in documents))
        with self._lock:
            before = self._kept.pop(place, None)
            self._length += length - (before.length if before is not None else 0)
            self._kept[place] = kept
            while self._length > self._room:
                _, gone = self._kept.popitem(last=False)
                self._length -= gone.length
        return kept


def managed_policies(tx: Transaction, account_id: str, policy_arns: Collection[str]) -> Iterable[Policy]:
    """Those of the account and AWS's own, by ARN.  One that is gone is passed over: it allows nothing."""
    own = tx.managed_policies.default_documents(account_id, policy_arns)
    for policy_arn in sorted(policy_arns):
        text = own.get(policy_arn) or aws_policies.document_of(policy_arn)
        if text is not None:
            yield Policy(read(text, DocumentKind.IDENTITY), policy_arn, _source_type(policy_arn))


def inline_policies(tx: Transaction, account_id: str, owners: Mapping[str, tuple[str, str]]) -> list[Policy]:
    """Those of these users, groups and roles, whose kind and name `owners` has by unique id."""
    return [
        Policy(read(policy.document, DocumentKind.IDENTITY), policy.policy_name, *owners[policy.owner_id])
        for policy in tx.inline_policies.of(account_id, owners)
    ]


def _policies(tx: Transaction, principal: Principal) -> Policies:
    account_id, holder_id = principal.account_id, principal.holder_id
    if principal.kind is PrincipalKind.ROOT:
        return Policies(guard=_guard(tx, account_id))
    boundary = principal.permissions_boundary
    if principal.kind is PrincipalKind.ROLE:
        issuer = principal.scope.issuer_arn if principal.scope else principal.arn
        owners = {holder_id: ("role", issuer.rpartition("/")[2])}
    else:
        owners = {group.group_id: ("group", group.group_name) for group in tx.groups.of_user(account_id, holder_id)}
        owners[holder_id] = ("user", principal.user_name or principal.arn.rpartition("/")[2])
    inline = inline_policies(tx, account_id, owners)
    attached = {policy_arn for _, policy_arn in tx.managed_policies.attached_to(account_id, owners)}
    rules = tx.accounts.password_policy(account_id)
    if rules is not None and rules.users_may_change and principal.kind is PrincipalKind.USER:
        inline.append(Policy(read(_FOR_OWN_LOGIN, DocumentKind.IDENTITY), "account password policy"))
    return Policies(
        identity=(*inline, *managed_policies(tx, account_id, attached)),
        boundary=None if boundary is None else tuple(managed_policies(tx, account_id, (boundary,))),
        guard=_guard(tx, account_id),
    )


def _session(tx: Transaction, account_id: str, scope: SessionScope) -> tuple[Policy, ...]:
    inline = tuple(Policy(read(text, DocumentKind.IDENTITY), "session policy") for text in scope.policies)
    return (*inline, *managed_policies(tx, account_id, scope.policy_arns))


def _guard(tx: Transaction, account_id: str) -> tuple[Policy, ...] | None:
    account = tx.accounts.find(account_id)
    if account is None or account.guard_policy is None:
        return None
    return (Policy(read(account.guard_policy, DocumentKind.IDENTITY), "guard policy"),)


def _source_type(policy_arn: str) -> str:
    return "aws-managed" if arn.segments(policy_arn)[4] == AWS else "user-managed"
