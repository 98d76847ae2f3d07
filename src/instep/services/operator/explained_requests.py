"""The request that is explained: who makes it and with which credentials, what it does, and on what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from instep.api.common import AWSError
from instep.api.errors import InvalidInput
from instep.api.shape import members
from instep.domain import arn
from instep.domain.identity import Principal, PrincipalKind
from instep.domain.policy.evaluation import ResourcePolicy
from instep.services.authorize import check_credentials
from instep.services.iam.owners import OwnerKind, role_named
from instep.services.iam.policy_sources import any_session, entity, principal_of, source_named
from instep.services.iam.simulated_requests import check_action, check_resource
from instep.services.iam.targets import on_caller, on_everything, on_user, user_named
from instep.services.operation import EVERYTHING, REGISTRY, SERVICES, Call, Operation, Resource
from instep.services.operator.explained_resources import resource_named
from instep.services.operator.model import CredentialsType, ExplainAccessRequest
from instep.services.sts.trust import find_role, trust_policy

_SESSION_ARN = re.compile(r"arn:aws:sts::([0-9]{12}):assumed-role/([\w+=,.@-]+)/([\w+=,.@-]+)", re.ASCII)
# What a role's trust policy is asked about.
_ON_ROLES = frozenset({"sts:assumerole", "sts:tagsession", "sts:setsourceidentity"})
# Its request names nobody, but has members that must be there.
_ON_CALLER = frozenset({"iam:ChangePassword"})
_JUST_NOW = 60
"""Seconds since a code was checked, unless said otherwise."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`credentials`: None of a role, which has no choice.  `known`: the operation that `action` is, if it is one of ours.

    `trust`: the policy of the role it is on, for those few actions that one is asked about.
    """

    principal: Principal
    credentials: CredentialsType | None
    action: str
    known: Operation | None
    resource: Resource
    trust: ResourcePolicy | None

    @property
    def on_role(self) -> bool:
        return self.action.lower() in _ON_ROLES

    @property
    def free(self) -> bool:
        """Whether it takes no permission, so that no policy is asked."""
        return self.known is not None and self.known.on is None and self.known.check is None


def asked(call: Call, request: ExplainAccessRequest) -> Asked:
    """Raises NoSuchEntity for a principal that is not there, InvalidInput for what cannot be asked."""
    check_action(request.action)
    principal = _principal(call, request.principal)
    credentials = _credentials(principal, request)
    if credentials is not None:
        principal = _with(principal, credentials, call.now, request.mfa_age)
    by_name = {action.lower(): operation for action, operation in REGISTRY.items()}
    known = by_name.get(request.action.lower())
    action = known.action if known is not None else request.action
    if request.resource is None:
        resource = _default_resource(replace(call, principal=principal, users={}), known, action)
    else:
        check_resource(request.resource)
        resource = resource_named(call, request.resource)
    trust = None
    if action.lower() in _ON_ROLES and resource != EVERYTHING:
        role = find_role(call, resource.arn)
        trust = None if role is None else trust_policy(role, principal)
    return Asked(principal, credentials, action, known, resource, trust)


def notes(request: ExplainAccessRequest, question: Asked, *, guarded: bool) -> Iterator[str]:
    """What matters beside policies, in sentences.  `guarded`: the account has a guard policy."""
    service, _, name = question.action.partition(":")
    if service in SERVICES and name not in SERVICES[service].operations:
        yield f"There is no operation {question.action}; it is explained as it is written."
    if request.resource is None and question.resource != EVERYTHING:
        yield "No resource was given; this is the one of a request that names none."
    if question.known is not None:
        try:
            check_credentials(question.principal, question.known)
        except AWSError as refusal:
            yield f"These credentials are refused before policies are asked: {refusal.message} ({refusal.code})"
    if question.free:
        yield f"{question.action} takes no permission; no policy can allow or deny it."
    if question.principal.kind is PrincipalKind.ROOT and not guarded and not question.free:
        yield "Nothing but a guard policy limits the root user, and there is none."
    if question.on_role and question.principal.kind is PrincipalKind.ROOT:
        yield "The root user cannot assume roles, whatever policies say."
    if question.on_role and question.credentials in (CredentialsType.ACCESS_KEY, CredentialsType.SESSION_TOKEN):
        yield "With a code that is sent along, MFA counts as present, and its age is 0: explain that with --mfa-age 0."
    if question.on_role and question.resource == EVERYTHING:
        yield "No role has been named: give its ARN as the resource, as its trust policy has to allow it too."
    elif question.on_role and question.trust is None:
        yield "There is no role of this ARN, so the request is refused, whatever policies say."


def _principal(call: Call, named: str) -> Principal:
    session = _SESSION_ARN.fullmatch(named)
    if session is not None and session[1] == call.account_id:
        return any_session(role_named(call, session[2]), session[3])
    if named in {"root", arn.root_arn(call.account_id)}:
        return Principal.root(call.account_id)
    if named.startswith("arn:"):
        if entity(named).kind is OwnerKind.GROUP:
            raise InvalidInput("A group asks for nothing; name one of its users.")
        principal = principal_of(source_named(call, named))
        assert principal is not None
        return principal
    kind, slash, name = named.rpartition("/")
    if kind == OwnerKind.ROLE:
        return any_session(role_named(call, name))
    if slash and kind != OwnerKind.USER:
        raise InvalidInput(f"{named} is neither a user's name, nor role/NAME, nor an ARN.")
    return Principal.user(user_named(call, name))


def _credentials(principal: Principal, request: ExplainAccessRequest) -> CredentialsType | None:
    if request.mfa_age is not None and request.credentials is not CredentialsType.SESSION_TOKEN_WITH_MFA:
        raise InvalidInput("Only credentials with MFA have an age of MFA.")
    if principal.kind is not PrincipalKind.ROLE:
        return request.credentials or CredentialsType.ACCESS_KEY
    if request.credentials is not None:
        raise InvalidInput("A role's session has credentials of its own, into which no MFA is carried.")
    return None


def _with(principal: Principal, credentials: CredentialsType, now: datetime, mfa_age: int | None) -> Principal:
    match credentials:
        case CredentialsType.ACCESS_KEY:
            return principal
        case CredentialsType.SESSION_TOKEN:
            return replace(principal, temporary=True, issued_at=now, mfa_present=False)
        case CredentialsType.SESSION_TOKEN_WITH_MFA:
            checked = now - timedelta(seconds=_JUST_NOW if mfa_age is None else mfa_age)
            return replace(principal, temporary=True, issued_at=checked, mfa_present=True, mfa_at=checked)


def _default_resource(call: Call, known: Operation | None, action: str) -> Resource:
    """What the operation is authorized against when its request names nothing.  Raises InvalidInput where it has to."""
    if known is None or (known.on is None and known.check is None) or known.on is on_everything:
        return EVERYTHING
    if (known.on is on_user or action in _ON_CALLER) and call.principal.kind is not PrincipalKind.ROLE:
        return on_caller(call)
    model = known.model.input
    if model is not None and known.on not in (None, on_user) and not any(member.required for member in members(model)):
        return known.on(call, model())
    raise InvalidInput(f"Say on which resource: {action} is always about a certain one.")
