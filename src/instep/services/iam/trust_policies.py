"""Trust policies: kept with unique ids in place of the ARNs of users and roles, and shown with the ARNs they have now.

Whoever is made again under a trusted name is somebody else, and whoever is renamed stays trusted
(IAM User Guide, "AWS JSON policy elements: Principal").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from instep.domain.identity import Role
from instep.domain.policy.reading import DocumentKind, named_principals, read, with_principals
from instep.domain.policy.refusals import malformed
from instep.services.iam.policy_documents import checked
from instep.services.operation import Call
from instep.services.ports import Transaction

# An account, or what stands for no one user or role: these are kept as written, whether or not there is such an account.
_KEPT = re.compile(r"\*|[0-9]{12}|arn:aws:iam::[0-9]{12}:root|arn:aws:sts::[0-9]{12}:(?:assumed-role|federated-user)/.+")
_ENTITY = re.compile(r"arn:aws:iam::([0-9]{12}):(user|role)/(?:.*/)?([^/]+)")
_UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]+")
# A page of roles can name more people than a statement may have parameters.
_AT_ONCE = 500


def to_keep(call: Call, text: str) -> str:
    """The trust policy `text` as it is stored.

    Raises MalformedPolicyDocument, also for a user or role that does not exist; LimitExceeded when it is too long.
    """
    checked(text, DocumentKind.TRUST, quota=call.settings.quotas.trust_policy_size, what="ACLSizePerRole")
    names = named_principals(read(text, DocumentKind.TRUST))
    present = _arns(call.tx, call.account_id, names)
    ids = {}
    for name in names:
        if entity := _ENTITY.fullmatch(name):
            ids[name] = _id_of(call.tx, name, *entity.groups())
        elif name not in present and not _KEPT.fullmatch(name):
            raise _invalid(name)
    return with_principals(text, ids)


def as_shown(tx: Transaction, roles: Collection[Role]) -> dict[str, str]:
    """The trust policy of each of an account's `roles` as people read it, by role id; the ids of those who are gone stay."""
    named = {role.role_id: _names(role) for role in roles}
    arns: dict[str, str] = {}
    for account_id in {role.account_id for role in roles}:
        arns |= _arns(tx, account_id, (name for names in named.values() for name in names))
    return {role.role_id: with_principals(role.trust_policy, arns) if arns else role.trust_policy for role in roles}


def _names(role: Role) -> tuple[str, ...]:
    return named_principals(read(role.trust_policy, DocumentKind.TRUST))


def _id_of(tx: Transaction, name: str, account_id: str, kind: str, entity_name: str) -> str:
    """The id of the user or role, in whichever account of the installation.  Raises MalformedPolicyDocument."""
    if kind == "user":
        user = tx.users.find(account_id, entity_name)
        # Not another spelling, and not another path: the ARN has to be the one that is shown.
        if user is not None and user.arn == name:
            return user.user_id
    else:
        role = tx.roles.find(account_id, entity_name)
        if role is not None and role.arn == name:
            return role.role_id
    raise _invalid(name)


def _arns(tx: Transaction, home: str, names: Iterable[str]) -> dict[str, str]:
    """The present ARNs of those among `names` that are unique ids of somebody, by id.

    An id does not tell its account.  It is looked for in `home` first, where most are, then in the installation's other accounts.
    """
    missing = sorted({name for name in names if _UNIQUE_ID.fullmatch(name)})
    found: dict[str, str] = {}
    accounts = _accounts(tx, home)
    while missing and (account_id := next(accounts, None)) is not None:
        for start in range(0, len(missing), _AT_ONCE):
            asked = missing[start : start + _AT_ONCE]
            found |= {user_id: user.arn for user_id, user in tx.users.find_many(account_id, asked).items()}
            found |= {role_id: role.arn for role_id, role in tx.roles.find_many(account_id, asked).items()}
        missing = [name for name in missing if name not in found]
    return found


def _accounts(tx: Transaction, first: str) -> Iterator[str]:
    yield first
    yield from (account.account_id for account in tx.accounts.all() if account.account_id != first)


def _invalid(name: str) -> Exception:
    return malformed('Invalid principal in policy: "AWS":"{}"', name)
