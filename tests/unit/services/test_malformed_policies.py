"""Documents that are no policies, on their way in: each is refused in AWS's way, and nothing of them is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from instep.api.common import AWSError
from tests.support.house import ACCOUNT, House, house
from tests.vectors.policies.malformed import MALFORMED
from tests.vectors.policies.malformed_trust import MALFORMED_TRUST

# What the service model lets through at all; the rest is refused before anybody reads it.
_CHARACTERS = re.compile(r"[\t\n\r -\xff]{1,131072}")


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[House]:
    """A service that refuses no document for its length."""
    room = dict.fromkeys(("user_policy_size", "policy_size", "trust_policy_size"), 200000)
    with house(tmp_path, quotas=room) as home:
        home.user("Richard")
        yield home


def revision(home: House) -> int:
    return home.service.store.read(lambda tx: tx.accounts.policies_revision(ACCOUNT))


def outcome(home: House, action: str, **parameters: object) -> str:
    try:
        home.call(action, **parameters)
    except AWSError as refusal:
        return refusal.code
    return "accepted"


def expected(text: str) -> str:
    return "MalformedPolicyDocument" if _CHARACTERS.fullmatch(text) else "ValidationError"


def test_there_are_two_hundred_of_each_that_somebody_has_to_read() -> None:
    for vectors in (MALFORMED, MALFORMED_TRUST):
        assert sum(expected(text) == "MalformedPolicyDocument" for _, text in vectors) >= 200


@pytest.mark.parametrize(
    ("action", "member", "parameters", "vectors"),
    [
        ("iam:PutUserPolicy", "PolicyDocument", {"UserName": "Richard", "PolicyName": "own"}, MALFORMED),
        ("iam:CreatePolicy", "PolicyDocument", {"PolicyName": "Own"}, MALFORMED),
        ("iam:CreateRole", "AssumeRolePolicyDocument", {"RoleName": "Own"}, MALFORMED_TRUST),
    ],
    ids=["PutUserPolicy", "CreatePolicy", "CreateRole"],
)
def test_each_malformed_document_is_refused_as_such_and_nothing_is_stored(
    roomy: House, action: str, member: str, parameters: dict[str, str], vectors: list[tuple[str, str]]
) -> None:
    before = revision(roomy)

    outcomes = {name: outcome(roomy, action, **parameters, **{member: text}) for name, text in vectors}

    assert outcomes == {name: expected(text) for name, text in vectors}
    assert roomy.call("iam:ListUserPolicies", UserName="Richard").policy_names == ()
    assert roomy.call("iam:ListPolicies", Scope="Local").policies == ()
    assert roomy.call("iam:ListRoles").roles == ()
    assert revision(roomy) == before
