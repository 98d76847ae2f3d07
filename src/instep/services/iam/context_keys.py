"""Which context keys policies ask for, and a simulation therefore has to be given."""

from __future__ import annotations

from collections.abc import Iterable

from instep.api.iam import (
    GetContextKeysForCustomPolicyRequest,
    GetContextKeysForPolicyResponse,
    GetContextKeysForPrincipalPolicyRequest,
)
from instep.domain.policy.evaluation import Policy
from instep.domain.policy.reading import context_keys
from instep.services.iam.policy_sources import check_length, on_source, policies_of, source_named, supplied
from instep.services.iam.targets import on_everything
from instep.services.operation import Call, operation


@operation("iam:GetContextKeysForCustomPolicy", on=on_everything, writes=False)
def get_context_keys_for_custom_policy(
    call: Call, request: GetContextKeysForCustomPolicyRequest
) -> GetContextKeysForPolicyResponse:
    check_length(request.policy_input_list)
    return _keys(supplied(request.policy_input_list, "PolicyInputList"))


@operation("iam:GetContextKeysForPrincipalPolicy", on=on_source, writes=False)
def get_context_keys_for_principal_policy(
    call: Call, request: GetContextKeysForPrincipalPolicyRequest
) -> GetContextKeysForPolicyResponse:
    """Those of its permissions boundary as well, which a simulation weighs too."""
    check_length(request.policy_input_list or ())
    policies = policies_of(call, source_named(call, request.policy_source_arn))
    more = supplied(request.policy_input_list, "PolicyInputList")
    return _keys((*policies.identity, *(policies.boundary or ()), *more))


def _keys(policies: Iterable[Policy]) -> GetContextKeysForPolicyResponse:
    """Each once, however it is spelled: names of keys ignore case."""
    by_name: dict[str, str] = {}
    for key in sorted({key for policy in policies for key in context_keys(policy.document)}):
        by_name.setdefault(key.lower(), key)
    return GetContextKeysForPolicyResponse(context_key_names=tuple(by_name[name] for name in sorted(by_name)))
