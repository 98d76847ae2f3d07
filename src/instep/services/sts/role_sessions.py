"""AssumeRole: temporary credentials of a role, for whom the role trusts and whose own policies allow it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from instep.api.common import AccessDenied, ValidationError
from instep.api.sts import AssumedRoleUser, AssumeRoleRequest, AssumeRoleResponse
from instep.domain.identity import Principal, PrincipalKind, Role, SessionScope
from instep.services.operation import Call, operation
from instep.services.sts import mfa
from instep.services.sts.credentials import asking_key, issue
from instep.services.sts.session_policies import packed_percentage, session_policies
from instep.services.sts.session_tags import session_tags
from instep.services.sts.trust import check_role_arn, trusted_role

_DEFAULT = timedelta(hours=1)
_LONGEST_CHAINED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Session:
    """What the caller will get.  `packed`: percent of the room for policies and tags, None when there are neither."""

    role: Role
    scope: SessionScope
    duration: timedelta
    packed: int | None


def _session(call: Call, request: AssumeRoleRequest) -> _Session:
    """All but the code.  What it takes depends on the role's trust policy as well.

    Who may not assume the role is refused before anything is told of it, or of the code.
    """
    check_role_arn(request.role_arn)
    if request.provided_contexts:
        raise ValidationError("ProvidedContexts are not supported by this release of instep.")
    mfa.check_whole(request)
    if call.principal.kind is PrincipalKind.ROOT:
        raise AccessDenied("Roles may not be assumed by root accounts.")
    asking_key(call, "AssumeRole")
    tags = session_tags(request.tags, request.transitive_tag_keys, caller=call.principal.scope)
    source_identity = _source_identity(call, request)
    role = trusted_role(call, request, tags=tags, source_identity=source_identity)
    duration = _duration(call, request, role)
    policies = session_policies(call, role.account_id, request)
    packed = packed_percentage(policies, tags.tags)
    scope = SessionScope(
        name=request.role_session_name,
        issuer_arn=role.arn,
        policies=policies.texts,
        policy_arns=policies.arns,
        tags=tags.tags,
        transitive_tags=tags.transitive,
        source_identity=source_identity,
    )
    return _Session(role, scope, duration, packed or None)


def _source_identity(call: Call, request: AssumeRoleRequest) -> str | None:
    """Once set it goes on from role to role, and nobody can change it."""
    scope = call.principal.scope
    inherited = None if scope is None else scope.source_identity
    if inherited is not None and request.source_identity not in (None, inherited):
        raise ValidationError("The source identity is already set for this assume role session")
    return inherited or request.source_identity


def _duration(call: Call, request: AssumeRoleRequest, role: Role) -> timedelta:
    duration = _DEFAULT if request.duration_seconds is None else timedelta(seconds=request.duration_seconds)
    if duration > role.max_session_duration:
        raise ValidationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    if call.principal.kind is PrincipalKind.ROLE and duration > _LONGEST_CHAINED:
        raise ValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        )
    return duration


@operation("sts:AssumeRole", on=None, check=_session, writes=True, claim=mfa.claim)
def assume_role(call: Call, request: AssumeRoleRequest) -> AssumeRoleResponse:
    session: _Session = call.checked
    mfa.accept(call, request)
    role, scope = session.role, session.scope
    credentials = issue(
        call,
        kind=PrincipalKind.ROLE,
        account_id=role.account_id,
        holder_id=role.role_id,
        parent_access_key_id=asking_key(call, "AssumeRole"),
        duration=session.duration,
        scope=scope,
    )
    assumed = Principal.role_session(role, scope)
    return AssumeRoleResponse(
        assumed_role_user=AssumedRoleUser(assumed_role_id=assumed.unique_id, arn=assumed.arn),
        credentials=credentials,
        packed_policy_size=session.packed,
        source_identity=scope.source_identity,
    )
