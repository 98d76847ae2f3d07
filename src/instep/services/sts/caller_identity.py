"""GetCallerIdentity: never needs a permission, and no policy can deny it."""

from __future__ import annotations

from instep.api.sts import GetCallerIdentityRequest, GetCallerIdentityResponse
from instep.services.operation import Call, operation


@operation("sts:GetCallerIdentity", on=None, writes=False)
def get_caller_identity(call: Call, request: GetCallerIdentityRequest) -> GetCallerIdentityResponse:
    return GetCallerIdentityResponse(arn=call.principal.arn, user_id=call.principal.unique_id, account=call.principal.account_id)
