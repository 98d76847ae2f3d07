"""What policies may ask about a request: the context of conditions and variables.

(IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, IAM and STS.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from instep.api import iam
from instep.domain.identity import Principal, PrincipalKind
from instep.domain.policy.variables import Context
from instep.domain.tag_key import tag_key
from instep.services.operation import Call, Resource

_NAMES_A_POLICY = (
    iam.AttachGroupPolicyRequest,
    iam.AttachRolePolicyRequest,
    iam.AttachUserPolicyRequest,
    iam.DetachGroupPolicyRequest,
    iam.DetachRolePolicyRequest,
    iam.DetachUserPolicyRequest,
)
_PRINCIPAL_TYPES = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE: "AssumedRole",
    PrincipalKind.FEDERATED: "FederatedUser",
}


def context(
    call: Call, resource: Resource, asked: object | None, *, mfa: bool = False, extra: Mapping[str, tuple[str, ...]] | None = None
) -> Context:
    """By key in lower case; what a request does not say is not there.

    `asked` is its dataclass of the api.  With `mfa`, as if a code had been checked this very moment.  `extra` are keys of one
    operation.
    """
    keys: dict[str, tuple[str, ...]] = {
        "aws:currenttime": (_iso(call.now),),
        "aws:epochtime": (str(int(call.now.timestamp())),),
        "aws:sourceip": (call.origin.source_ip,),
        "aws:securetransport": ("true" if call.origin.secure else "false",),
        "aws:requestedregion": (call.origin.region,),
        "aws:viaawsservice": ("false",),
    }
    if call.origin.user_agent:
        keys["aws:useragent"] = (call.origin.user_agent,)
    _add_principal(keys, call.principal)
    _add_mfa(keys, call.principal, call.now, mfa=mfa)
    _add_resource(keys, resource)
    _add_request(keys, asked)
    if extra:
        keys.update(extra)
    return keys


def expected(principal: Principal, resource: Resource, now: datetime) -> dict[str, tuple[str, ...]]:
    """What is known of a request before there is one: who will ask, with which credentials, about what, and when.

    Where it will come from, and what else it will ask, is not.
    """
    keys: dict[str, tuple[str, ...]] = {
        "aws:currenttime": (_iso(now),),
        "aws:epochtime": (str(int(now.timestamp())),),
        "aws:viaawsservice": ("false",),
    }
    _add_principal(keys, principal)
    _add_mfa(keys, principal, now, mfa=False)
    _add_resource(keys, resource)
    return keys


def of_principal(principal: Principal) -> dict[str, tuple[str, ...]]:
    """Those keys that tell who asks, and nothing of the request."""
    keys: dict[str, tuple[str, ...]] = {}
    _add_principal(keys, principal)
    return keys


def _add_principal(keys: dict[str, tuple[str, ...]], principal: Principal) -> None:
    of_role = principal.kind is PrincipalKind.ROLE and principal.scope is not None
    # Of a role session, the role's: sessions come and go.
    keys["aws:principalarn"] = (principal.scope.issuer_arn if of_role and principal.scope else principal.arn,)
    keys["aws:principalaccount"] = (principal.account_id,)
    keys["aws:userid"] = (principal.unique_id,)
    principal_type = _PRINCIPAL_TYPES.get(principal.kind)
    if principal_type is not None:
        keys["aws:principaltype"] = (principal_type,)
    if principal.kind is PrincipalKind.USER and principal.user_name is not None:
        keys["aws:username"] = (principal.user_name,)
    for tag, value in principal.tags.items():
        keys[f"aws:principaltag/{tag_key(tag)}"] = (value,)
    if principal.issued_at is not None:
        keys["aws:tokenissuetime"] = (_iso(principal.issued_at),)
    if principal.scope is not None and principal.scope.source_identity is not None:
        keys["aws:sourceidentity"] = (principal.scope.source_identity,)


def _add_mfa(keys: dict[str, tuple[str, ...]], principal: Principal, now: datetime, *, mfa: bool) -> None:
    """Long-term keys cannot say whether MFA stood behind them: with them, the keys are absent rather than false."""
    if mfa:
        keys["aws:multifactorauthpresent"], keys["aws:multifactorauthage"] = ("true",), ("0",)
        return
    if principal.mfa_present is not None:
        keys["aws:multifactorauthpresent"] = ("true" if principal.mfa_present else "false",)
    if principal.mfa_present and principal.mfa_at is not None:
        # Not below zero, should the clock have been set back.
        keys["aws:multifactorauthage"] = (str(max(0, int((now - principal.mfa_at).total_seconds()))),)


def _add_resource(keys: dict[str, tuple[str, ...]], resource: Resource) -> None:
    if resource.tags:
        for prefix in ("aws:resourcetag/", "iam:resourcetag/"):
            keys.update(_by_tag(prefix, resource.tags.items()))
    if resource.permissions_boundary is not None:
        keys["iam:permissionsboundary"] = (resource.permissions_boundary,)


def _add_request(keys: dict[str, tuple[str, ...]], asked: object | None) -> None:
    tags = getattr(asked, "tags", None)
    tag_keys = getattr(asked, "tag_keys", None)
    if tags:
        keys.update(requested_tags((tag.key, tag.value) for tag in tags))
    elif tag_keys:
        keys["aws:tagkeys"] = tuple(tag_keys)
    # The boundary that is being set comes before the one that is there.
    boundary = getattr(asked, "permissions_boundary", None)
    if boundary is not None:
        keys["iam:permissionsboundary"] = (boundary,)
    if isinstance(asked, _NAMES_A_POLICY):
        keys["iam:policyarn"] = (asked.policy_arn,)


def requested_tags(tags: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The keys of a request that gives such tags."""
    tags = tuple(tags)
    return {**_by_tag("aws:requesttag/", tags), "aws:tagkeys": tuple(key for key, _ in tags)}


def _by_tag(prefix: str, tags: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """A condition key for each tag.

    None for a tag in two spellings, as things tagged by an older release may have: policies cannot tell the spellings apart, and
    neither value is believed, since either might be the one that somebody added to get past a condition.
    """
    spelled = [(f"{prefix}{tag_key(tag)}", value) for tag, value in tags]
    times = Counter(key for key, _ in spelled)
    return {key: (value,) for key, value in spelled if times[key] == 1}


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC).isoformat(timespec='seconds')[:19]}Z"
