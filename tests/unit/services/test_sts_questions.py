"""GetAccessKeyInfo and DecodeAuthorizationMessage."""

from __future__ import annotations

import json

import pytest

from instep.api.common import AccessDenied
from instep.api.errors import InvalidAuthorizationMessageException
from instep.domain.identity import Principal
from tests.support.house import ACCOUNT, OTHER_ACCOUNT, House
from tests.support.sessions import allow, keys_of

OTHER_ROOT = Principal.root(OTHER_ACCOUNT, "AKIAOTHEROTHEROTHERO")


def test_whose_a_key_is_is_told_within_its_account_only(home: House) -> None:
    richard = home.user("Richard")
    allow(home, "Richard", "sts:GetAccessKeyInfo")
    key_id = keys_of(home, "Richard").access_key_id

    assert home.call("sts:GetAccessKeyInfo", richard, AccessKeyId=key_id).account == ACCOUNT
    for principal, asked in ((OTHER_ROOT, key_id), (richard, "AKIA0000000000000000"), (richard, "ASIA0000000000000000")):
        with pytest.raises(AccessDenied) as caught:
            home.call("sts:GetAccessKeyInfo", principal, AccessKeyId=asked)
        assert caught.value.message == (
            f"User: {principal.arn} is not authorized to perform: sts:GetAccessKeyInfo on resource: access key {asked}"
        )


def test_both_questions_take_a_permission(home: House) -> None:
    richard = home.user("Richard")
    for action, parameters in (
        ("sts:GetAccessKeyInfo", {"AccessKeyId": "AKIA0000000000000000"}),
        ("sts:DecodeAuthorizationMessage", {"EncodedMessage": "rubbish"}),
    ):
        with pytest.raises(AccessDenied, match=f"because no identity-based policy allows the {action} action"):
            home.call(action, richard, **parameters)


def test_the_message_of_a_refusal_says_what_was_decided_to_somebody_of_the_account(home: House) -> None:
    richard = home.user("Richard")
    with pytest.raises(AccessDenied) as caught:
        home.call("iam:ListUsers", richard)
    sealed = caught.value.headers["x-instep-encoded-message"]

    message = json.loads(home.call("sts:DecodeAuthorizationMessage", EncodedMessage=sealed).decoded_message)

    assert (message["allowed"], message["explicitDeny"]) == (False, False)
    assert message["context"]["principal"] == {"id": richard.holder_id, "arn": richard.arn}
    assert message["context"]["action"] == "iam:ListUsers"
    for principal, text in ((OTHER_ROOT, sealed), (None, sealed[:-4]), (None, "rubbish"), (None, "日本語")):
        with pytest.raises(InvalidAuthorizationMessageException, match=r"^Message is not valid$"):
            home.call("sts:DecodeAuthorizationMessage", principal, EncodedMessage=text)
