"""GetAccessKeyInfo: whose account an access key id belongs to."""

from __future__ import annotations

from instep.api.common import AccessDenied
from instep.api.sts import GetAccessKeyInfoRequest, GetAccessKeyInfoResponse
from instep.services.iam.targets import on_everything
from instep.services.operation import Call, operation


@operation("sts:GetAccessKeyInfo", on=on_everything, writes=False)
def get_access_key_info(call: Call, request: GetAccessKeyInfoRequest) -> GetAccessKeyInfoResponse:
    """Of the caller's own account.  Temporary keys are in no table, so they are told from unknown ones nowhere."""
    key = call.tx.access_keys.find(request.access_key_id)
    if key is None or key.account_id != call.account_id:
        # The same for unknown keys and those of other accounts: nobody learns here which keys there are.
        raise AccessDenied(
            f"User: {call.principal.arn} is not authorized to perform: sts:GetAccessKeyInfo"
            f" on resource: access key {request.access_key_id}"
        )
    return GetAccessKeyInfoResponse(account=key.account_id)
