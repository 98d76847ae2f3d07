"""The end of a session, or of all of somebody's."""

from __future__ import annotations

from instep.domain.sign_in import State
from instep.services.operation import Call, operation
from instep.services.signin import sessions
from instep.services.signin.model import SignOutRequest, SignOutResponse


@operation("signin:SignOut", on=None, writes=True)
def sign_out(call: Call, request: SignOutRequest) -> SignOutResponse:
    session = sessions.of_caller(call, *State)
    if request.everywhere and session.state is State.SIGNED_IN:
        return SignOutResponse(ended=call.tx.sign_ins.end_all(session.account_id, session.holder_id))
    call.tx.sign_ins.end(session)
    return SignOutResponse(ended=1)
