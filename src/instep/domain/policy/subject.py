"""Whom a resource-based policy, such as a role's trust policy, means (IAM User Guide, "Principal" and "NotPrincipal")."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from instep.domain.arn import root_arn
from instep.domain.policy.document import Principals, Statement


@dataclass(frozen=True, slots=True)
class Subject:
    """How a resource-based policy may name the caller.

    `exact`: unique id, and ARN of the user, role session or federated user; for the latter not those of the user behind it, whom
    the session policy would not limit.  `role`: ARN and unique id of a role session's role.  `service`: the caller is an AWS
    service, and this its name.  The account's id and its root user's ARN are in none of these: a root user has no other names.
    """

    account_id: str
    exact: frozenset[str] = frozenset()
    role: frozenset[str] = frozenset()
    service: str | None = None


class Grant(IntEnum):
    """How far an Allow carries the caller, by the way it names him."""

    NONE = 0
    ACCOUNT = 1
    """By his account, or as everybody: his own policies must allow as well."""
    ROLE = 2
    """By the role of his session: stands for the identity-based policies; boundary and session policy still limit."""
    EXACT = 3
    """Himself: no policy of his own needs to allow."""


def grant(statement: Statement, subject: Subject) -> Grant:
    """What an Allow `statement` gives `subject`."""
    # Everybody but a few is nobody one would let in; a policy that allows so is refused when it is saved.
    return Grant.NONE if statement.negated_principals else _named(statement.principals, subject)


def denies(statement: Statement, subject: Subject) -> bool:
    """Whether a Deny `statement` is meant for `subject`."""
    if not statement.negated_principals:
        return _named(statement.principals, subject) is not Grant.NONE
    spared = statement.principals or Principals()
    names = frozenset(spared.aws)
    if "*" in names or subject.service in spared.service:
        return False
    # AWS looks at the account first, then the role, then the caller himself; whoever is not spared at one of them is denied.
    links = [frozenset(_account_names(subject)), subject.role]
    # Account and role together spare all of a role's sessions, until one is named.
    if not subject.role or any(":assumed-role/" in name for name in names):
        links.append(subject.exact)
    return any(link and names.isdisjoint(link) for link in links)


def _named(principals: Principals | None, subject: Subject) -> Grant:
    if principals is None:
        return Grant.NONE
    names = principals.aws
    if subject.service in principals.service or not subject.exact.isdisjoint(names):
        return Grant.EXACT
    if not subject.role.isdisjoint(names):
        return Grant.ROLE
    if "*" in names or any(name in names for name in _account_names(subject)):
        return Grant.ACCOUNT
    return Grant.NONE


def _account_names(subject: Subject) -> tuple[str, str]:
    return subject.account_id, root_arn(subject.account_id)
