"""What policies would say, without asking for it really: of given policies, or of those that somebody has.

(API Reference, SimulateCustomPolicy and SimulatePrincipalPolicy.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from instep.api.common import ValidationError
from instep.api.errors import InvalidInput
from instep.api.iam import (
    EvaluationResult,
    PolicyIdentifier,
    PolicyIdentifierPolicyType,
    ResourceSpecificResult,
    SimulateCustomPolicyRequest,
    SimulatePolicyResponse,
    SimulatePrincipalPolicyRequest,
)
from instep.domain.policy.evaluation import Policy
from instep.domain.policy.pattern import Pattern
from instep.services import paging
from instep.services.iam.owners import OwnerKind
from instep.services.iam.policy_sources import (
    check_length,
    entity,
    on_source,
    policies_of,
    principal_of,
    source_named,
    supplied,
)
from instep.services.iam.simulated_requests import (
    actions_and_resources,
    attached_policy,
    check_boundary,
    check_effort,
    context_of,
    keys_of_caller,
    too_large,
)
from instep.services.iam.targets import on_everything
from instep.services.iam.trials import Simulation, evaluate
from instep.services.operation import Call, operation

_BOUNDARIES = "PermissionsBoundaryPolicyInputList"
_INPUTS = "PolicyInputList"
_MOST_TOLD = 20_000
"""Statements and keys in one answer, which is some megabytes long by then."""
# Its name may have question marks and one asterisk in it.
_EXCLUDED_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?:aws|[0-9]{12}):policy/[\w+=,.@/?*-]+", re.ASCII)


@operation("iam:SimulateCustomPolicy", on=on_everything, writes=False)
def simulate_custom_policy(call: Call, request: SimulateCustomPolicyRequest) -> SimulatePolicyResponse:
    """Nothing of the account counts: neither its policies nor its guard policy."""
    actions, resources = actions_and_resources(request)
    check_boundary(request)
    levels = [level.service_control_policy_input_list or () for level in request.ordered_organization_policy_input_list or ()]
    check_length(chain(request.policy_input_list, _documents(request), *levels))
    caller = None if request.caller_arn is None else entity(request.caller_arn)
    simulation = Simulation(
        identity=supplied(request.policy_input_list, _INPUTS),
        boundary=supplied(request.permissions_boundary_policy_input_list, _BOUNDARIES) or None,
        organization=tuple(supplied(level, "ServiceControlPolicyInputList") for level in levels),
        context=context_of(request.context_entries or (), keys_of_caller(caller, None)),
        attached=attached_policy(request, caller, None),
    )
    return _page(call, "SimulateCustomPolicy", request, simulation, actions, resources)


@operation("iam:SimulatePrincipalPolicy", on=on_source, writes=False)
def simulate_principal_policy(call: Call, request: SimulatePrincipalPolicyRequest) -> SimulatePolicyResponse:
    """With everything that is attached to the user, group or role, and the account's guard policy as its organization's."""
    actions, resources = actions_and_resources(request)
    check_boundary(request)
    check_length(chain(request.policy_input_list or (), _documents(request)))
    source = source_named(call, request.policy_source_arn)
    # Whoever acts as somebody else has the other's name, and nothing else of theirs.
    played = None if request.caller_arn in (None, source.entity.arn) else entity(request.caller_arn)
    caller = played or (None if source.kind is OwnerKind.GROUP else entity(source.entity.arn))
    policies = policies_of(call, source)
    excluded = [_exclusion(identifier) for identifier in request.policy_exclusion_list or ()]
    simulation = Simulation(
        identity=(*_without(excluded, policies.identity), *supplied(request.policy_input_list, _INPUTS)),
        boundary=supplied(request.permissions_boundary_policy_input_list, _BOUNDARIES)
        or (None if _excludes(request, PolicyIdentifierPolicyType.PERMISSION_BOUNDARY) else policies.boundary),
        organization=() if policies.guard is None or _excludes(request, PolicyIdentifierPolicyType.SCP) else (policies.guard,),
        context=context_of(request.context_entries or (), keys_of_caller(played, principal_of(source))),
        attached=attached_policy(request, caller, None if played else source.owner_id),
    )
    return _page(call, f"SimulatePrincipalPolicy/{source.owner_id}", request, simulation, actions, resources)


def _documents(request: SimulateCustomPolicyRequest | SimulatePrincipalPolicyRequest) -> Iterable[str]:
    yield from request.permissions_boundary_policy_input_list or ()
    if request.resource_policy is not None:
        yield request.resource_policy


def _page(
    call: Call, listing: str, request: paging.Paged, simulation: Simulation, actions: Sequence[str], resources: Sequence[str]
) -> SimulatePolicyResponse:
    """An item is an action with all its resources."""
    last = paging.after(call, listing, request)
    start = 0 if last is None else int(last)
    if start and start >= len(actions):
        # Given out for a longer list of actions.
        raise ValidationError("Invalid Marker.")
    end = start + (request.max_items or paging.DEFAULT_MAX_ITEMS)
    now = actions[start:end]
    check_effort(simulation, len(now), resources)
    results = []
    told = 0
    for action in now:
        results.append(evaluate(simulation, action, resources))
        told += _told(results[-1])
        if told > _MOST_TOLD:
            raise too_large()
    return SimulatePolicyResponse(
        evaluation_results=tuple(results),
        is_truncated=end < len(actions),
        marker=paging.marker(call, listing, str(end)) if end < len(actions) else None,
    )


def _told(result: EvaluationResult) -> int:
    parts: tuple[EvaluationResult | ResourceSpecificResult, ...] = (result, *(result.resource_specific_results or ()))
    return sum(len(part.matched_statements or ()) + len(part.missing_context_values or ()) for part in parts)


def _excludes(request: SimulatePrincipalPolicyRequest, kind: PolicyIdentifierPolicyType) -> bool:
    return any(identifier.policy_type is kind for identifier in request.policy_exclusion_list or ())


def _without(excluded: Sequence[Callable[[Policy], bool]], policies: Iterable[Policy]) -> Iterable[Policy]:
    return (policy for policy in policies if not any(excludes(policy) for excludes in excluded))


def _exclusion(identifier: PolicyIdentifier) -> Callable[[Policy], bool]:
    """Whether it means a policy.  Raises InvalidInput for an identifier that is none."""
    named = (identifier.policy_type, identifier.policy_arn, identifier.inline_policy_identifier)
    if sum(one is not None for one in named) != 1:
        raise InvalidInput("A policy identifier must have exactly one of PolicyType, PolicyArn and InlinePolicyIdentifier.")
    if identifier.policy_type is not None:
        kind = identifier.policy_type
        inline = kind is PolicyIdentifierPolicyType.INLINE
        return lambda policy: policy.owner is not None if inline else policy.source_type == kind.value
    if identifier.policy_arn is not None:
        if not _EXCLUDED_ARN.fullmatch(identifier.policy_arn) or identifier.policy_arn.count("*") > 1:
            raise InvalidInput(f"ARN {identifier.policy_arn} is not valid.")
        means = Pattern.of(identifier.policy_arn, variables=False)
        return lambda policy: policy.owner is None and means.matches(policy.name, {})
    part = identifier.inline_policy_identifier
    # Names of users, groups and roles ignore case, names of inline policies do not.
    return lambda policy: (
        part is not None
        and (policy.name, policy.source_type) == (part.policy_name, part.attachment_type.value)
        and (policy.owner or "").lower() == part.attachment_name.lower()
    )
