"""GetFederationToken: temporary credentials for somebody whom a user vouches for, limited by session policies."""

from __future__ import annotations

from instep.api.sts import FederatedUser, GetFederationTokenRequest, GetFederationTokenResponse
from instep.domain import arn
from instep.domain.identity import PrincipalKind, SessionScope
from instep.services.authorize import authorize
from instep.services.operation import Call, Resource, operation
from instep.services.sts.credentials import asking_key, issue, long_session
from instep.services.sts.session_policies import packed_percentage, session_policies
from instep.services.sts.session_tags import session_tags


def _on_federated_user(call: Call, request: GetFederationTokenRequest) -> Resource:
    return Resource(arn.federated_user_arn(call.account_id, request.name))


def _check_may_tag(call: Call, request: GetFederationTokenRequest) -> None:
    if request.tags:
        authorize(call, "sts:TagSession", _on_federated_user(call, request), request)


@operation("sts:GetFederationToken", on=_on_federated_user, check=_check_may_tag, writes=True)
def get_federation_token(call: Call, request: GetFederationTokenRequest) -> GetFederationTokenResponse:
    """With tags it takes the permission sts:TagSession as well.  Without session policies the credentials allow nothing."""
    access_key_id = asking_key(call, "GetFederationToken")
    tags = session_tags(request.tags, None, caller=None)
    policies = session_policies(call, call.account_id, request)
    packed = packed_percentage(policies, tags.tags)
    scope = SessionScope(
        name=request.name,
        issuer_arn=call.principal.arn,
        policies=policies.texts,
        policy_arns=policies.arns,
        tags=tags.tags,
    )
    credentials = issue(
        call,
        kind=PrincipalKind.FEDERATED,
        account_id=call.account_id,
        holder_id=call.principal.holder_id,
        parent_access_key_id=access_key_id,
        duration=long_session(call, request.duration_seconds),
        scope=scope,
    )
    federated_user = FederatedUser(
        federated_user_id=f"{call.account_id}:{request.name}", arn=arn.federated_user_arn(call.account_id, request.name)
    )
    return GetFederationTokenResponse(credentials=credentials, federated_user=federated_user, packed_policy_size=packed)
