"""Whether a caller may assume a role: the role's trust policy and the caller's own policies, together.

(IAM User Guide, "Policy evaluation logic"; "Passing session tags"; "Monitor and control actions taken with assumed roles".)
"""

from __future__ import annotations

from instep.api.common import AccessDenied, ValidationError
from instep.api.sts import AssumeRoleRequest
from instep.domain import arn
from instep.domain.identity import Principal, PrincipalKind, Role
from instep.domain.policy.evaluation import AccessRequest, Policy, ResourcePolicy, decide
from instep.domain.policy.reading import DocumentKind, read
from instep.domain.policy.subject import Subject
from instep.services.condition_keys import context, requested_tags
from instep.services.operation import Call, Resource
from instep.services.sts.session_tags import SessionTags

_ROLE = "role/"


def check_role_arn(role_arn: str) -> None:
    """Raises ValidationError for what has not the form of an ARN.  One of something else than a role is not refused here."""
    parts = arn.segments(role_arn)
    if len(parts) < arn.SEGMENTS or parts[0] != "arn" or not (parts[1] and parts[2] and parts[5]):
        raise ValidationError(f"{role_arn} is invalid")


def trusted_role(call: Call, request: AssumeRoleRequest, *, tags: SessionTags, source_identity: str | None) -> Role:
    """The role, once everything it takes to assume it as asked is allowed.

    A code that came along counts as good here: whoever may not assume the role neither spends one nor learns whether it was.
    Raises AccessDenied, in one sentence for a role that is not there, one that does not trust the caller, and a caller whose
    policies do not allow it, so that nobody learns which roles there are.
    """
    role = find_role(call, request.role_arn)
    actions = ["sts:AssumeRole"]
    # What goes on from the calling session takes the same permission as what is new.
    if tags.tags:
        actions.append("sts:TagSession")
    if source_identity is not None:
        actions.append("sts:SetSourceIdentity")
    if role is None:
        raise _refusal(call, actions[0], request)
    keys = context(
        call,
        Resource(role.arn, role.tags),
        request,
        mfa=request.serial_number is not None and request.token_code is not None,
        extra=_extra_keys(request, tags, source_identity),
    )
    trust = trust_policy(role, call.principal)
    policies = call.policies.of(call.tx, call.principal)
    for action in actions:
        if not decide(policies, AccessRequest(action, role.arn, keys), resource=trust).allowed:
            raise _refusal(call, action, request)
    return role


def trust_policy(role: Role, caller: Principal) -> ResourcePolicy:
    """Without whose Allow nobody assumes the role."""
    return ResourcePolicy(
        policy=Policy(read(role.trust_policy, DocumentKind.TRUST), name=role.role_name, source_type="resource"),
        owner_account=role.account_id,
        subject=subject_of(caller),
        required=True,
    )


def find_role(call: Call, role_arn: str) -> Role | None:
    """The role of exactly this ARN, which `check_role_arn` has seen, in whichever account it is."""
    account_id, resource = arn.segments(role_arn)[4:]
    if not resource.startswith(_ROLE):
        return None
    # Names are looked up ignoring case, and the path is part of the ARN only.
    role = call.tx.roles.find(account_id, resource.rpartition("/")[2])
    return role if role is not None and role.arn == role_arn else None


def _refusal(call: Call, action: str, request: AssumeRoleRequest) -> AccessDenied:
    # Without a reason, and without a message to decode: it would tell of another's trust policy.
    return AccessDenied(f"User: {call.principal.arn} is not authorized to perform: {action} on resource: {request.role_arn}")


def _extra_keys(request: AssumeRoleRequest, tags: SessionTags, source_identity: str | None) -> dict[str, tuple[str, ...]]:
    keys: dict[str, tuple[str, ...]] = {"sts:rolesessionname": (request.role_session_name,)}
    if tags.tags:
        # What goes on from the calling session is as if it were given: no tag reaches a role past its trust policy.
        keys.update(requested_tags(tags.tags.items()))
    if request.external_id is not None:
        keys["sts:externalid"] = (request.external_id,)
    if source_identity is not None:
        keys["sts:sourceidentity"] = (source_identity,)
    if tags.transitive:
        keys["sts:transitivetagkeys"] = tags.transitive
    return keys


def subject_of(principal: Principal) -> Subject:
    """How a role's trust policy may name the caller."""
    match principal.kind:
        case PrincipalKind.USER:
            return Subject(principal.account_id, exact=frozenset({principal.holder_id, principal.arn}))
        case PrincipalKind.ROLE if principal.scope is not None:
            return Subject(
                principal.account_id,
                exact=frozenset({principal.arn}),
                role=frozenset({principal.scope.issuer_arn, principal.holder_id}),
            )
        case _:
            return Subject(principal.account_id)
