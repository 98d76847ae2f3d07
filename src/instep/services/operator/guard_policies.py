"""The guard policy: a ceiling over a whole account, its root user included, as service control policies are at AWS."""

from __future__ import annotations

from instep.domain.policy.reading import DocumentKind
from instep.services.iam.policy_documents import checked
from instep.services.operation import EVERYTHING, Call, Resource, operation
from instep.services.operator.model import GetGuardPolicyResponse, PutGuardPolicyRequest

# AWS's quota for service control policies.
_LONGEST = 10_240


def _on_account(call: Call, request: object) -> Resource:
    return EVERYTHING


@operation("instep:PutGuardPolicy", on=_on_account, writes=True)
def put_guard_policy(call: Call, request: PutGuardPolicyRequest) -> None:
    """In the place of the one there was.  What it does not allow, nobody in the account may do from now on."""
    document = checked(request.policy_document, DocumentKind.IDENTITY, quota=_LONGEST, what="GuardPolicySize")
    call.tx.accounts.set_guard_policy(call.account_id, document)


@operation("instep:GetGuardPolicy", on=_on_account, writes=False)
def get_guard_policy(call: Call, request: None) -> GetGuardPolicyResponse:
    account = call.tx.accounts.find(call.account_id)
    return GetGuardPolicyResponse(policy_document=account.guard_policy if account is not None else None)


@operation("instep:DeleteGuardPolicy", on=_on_account, writes=True)
def delete_guard_policy(call: Call, request: None) -> None:
    call.tx.accounts.set_guard_policy(call.account_id, None)
