"""Who may do what.  Until policies arrive: the root user and operators everything in their account, an IAM user nothing that
needs a permission."""

from __future__ import annotations

from instep.api.common import AccessDenied, InvalidClientTokenId
from instep.api.iam import IAM
from instep.api.sts import STS
from instep.domain.identity import Principal, PrincipalKind
from instep.services.operation import Operation

# What credentials from GetSessionToken may call at STS, with MFA or without (API Reference, GetSessionToken).
_STS_FOR_SESSIONS = frozenset({"sts:AssumeRole", "sts:GetCallerIdentity"})


def check_credentials(principal: Principal, operation: Operation) -> None:
    """Whether this kind of credentials reaches the operation at all, whatever policies say.

    Raises InvalidClientTokenId for a session without MFA at IAM (AWS answers this, not AccessDenied), AccessDenied at STS.
    """
    if not principal.temporary:
        return
    if operation.service == IAM.name and not principal.mfa_present:
        # Without a full stop, as AWS prints it in this one case.
        raise InvalidClientTokenId("The security token included in the request is invalid")
    if operation.service == STS.name and operation.action not in _STS_FOR_SESSIONS:
        raise AccessDenied(f"Cannot call {operation.model.name} with session credentials")


def authorize(principal: Principal, operation: Operation, resource: str) -> None:
    """Raises AccessDenied, in AWS's sentence, unless `principal` may run `operation` on `resource`."""
    match principal.kind:
        case PrincipalKind.ROOT | PrincipalKind.OPERATOR:
            return
        case PrincipalKind.USER:
            raise AccessDenied(
                f"User: {principal.arn} is not authorized to perform: {operation.action} on resource: {resource}"
                f" because no identity-based policy allows the {operation.action} action"
            )
