"""GetSessionToken: temporary credentials, with MFA when a code came along."""

from __future__ import annotations

from instep.api.sts import GetSessionTokenRequest, GetSessionTokenResponse
from instep.services.operation import Call, operation
from instep.services.sts import mfa
from instep.services.sts.credentials import asking_key, issue, long_session


@operation("sts:GetSessionToken", on=None, writes=True, claim=mfa.claim)
def get_session_token(call: Call, request: GetSessionTokenRequest) -> GetSessionTokenResponse:
    mfa.accept(call, request)
    credentials = issue(
        call,
        kind=call.principal.kind,
        account_id=call.account_id,
        holder_id=call.principal.holder_id,
        parent_access_key_id=asking_key(call, "GetSessionToken"),
        duration=long_session(call, request.duration_seconds),
        mfa_serial=request.serial_number,
    )
    return GetSessionTokenResponse(credentials=credentials)
