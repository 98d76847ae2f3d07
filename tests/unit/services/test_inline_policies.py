"""Policies that are part of a user, a group or a role: all three alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from instep.api.common import AccessDenied, AWSError, ValidationError
from instep.api.errors import LimitExceeded, MalformedPolicyDocument, NoSuchEntity
from tests.support.house import House, house
from tests.support.policies import PolicyOwner, policy

SIZES = {"User": 2048, "Group": 5120, "Role": 10240}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all of them: who is in it is looked up by name."""
    with house(tmp_path_factory.mktemp("house")) as shared:
        yield shared


@pytest.fixture(params=["User", "Group", "Role"])
def owner(request: pytest.FixtureRequest, home: House) -> PolicyOwner:
    return PolicyOwner.made(home, request.param)


def put(owner: PolicyOwner, name: str, document: str) -> None:
    owner.call("Put{}Policy", PolicyName=name, PolicyDocument=document)


def names(owner: PolicyOwner) -> tuple[str, ...]:
    found: tuple[str, ...] = owner.call("List{}Policies").policy_names
    return found


def message(error: type[AWSError], owner: PolicyOwner, action: str, **parameters: object) -> str:
    with pytest.raises(error) as caught:
        owner.call(action, **parameters)
    return caught.value.message


def test_a_policy_is_put_shown_as_written_replaced_and_deleted(owner: PolicyOwner) -> None:
    first, second = policy(), policy("iam:Get*")
    put(owner, "own", first)
    shown = owner.named(owner.name.upper()).call("Get{}Policy", PolicyName="own")
    assert getattr(shown, f"{owner.noun}_name") == owner.name
    assert shown.policy_name == "own"
    assert unquote(shown.policy_document) == first

    put(owner, "own", second)
    assert unquote(owner.call("Get{}Policy", PolicyName="own").policy_document) == second
    assert names(owner) == ("own",)

    owner.call("Delete{}Policy", PolicyName="own")
    assert names(owner) == ()


def test_a_document_is_url_encoded_on_its_way_out(owner: PolicyOwner) -> None:
    put(owner, "own", '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}}')

    assert owner.call("Get{}Policy", PolicyName="own").policy_document == (
        "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C"
        "%22Action%22%3A%22iam%3AGet%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D"
    )


def test_names_of_policies_differ_by_case_and_are_listed_page_by_page(owner: PolicyOwner) -> None:
    for name in ("b", "B", "a", "c"):
        put(owner, name, policy())
    first = owner.call("List{}Policies", MaxItems="3")
    second = owner.call("List{}Policies", MaxItems="3", Marker=first.marker)

    assert first.policy_names + second.policy_names == ("B", "a", "b", "c")
    assert (first.is_truncated, second.is_truncated, second.marker) == (True, False, None)
    assert message(ValidationError, owner, "List{}Policies", Marker="c") == "Invalid Marker."


def test_a_marker_of_one_owner_is_none_of_anothers(owner: PolicyOwner) -> None:
    other = PolicyOwner.made(owner.home, owner.kind)
    for each in (owner, other):
        put(each, "a", policy())
        put(each, "b", policy())
    marker = owner.call("List{}Policies", MaxItems="1").marker

    assert message(ValidationError, other, "List{}Policies", Marker=marker) == "Invalid Marker."


@pytest.mark.parametrize("action", ["Get{}Policy", "Delete{}Policy"])
def test_a_policy_that_is_not_there_cannot_be_found(owner: PolicyOwner, action: str) -> None:
    put(owner, "own", policy())

    said = message(NoSuchEntity, owner, action, PolicyName="OWN")

    assert said == f"The {owner.noun} policy with name OWN cannot be found."


def test_an_owner_that_is_not_there_cannot_be_found(owner: PolicyOwner) -> None:
    said = f"The {owner.noun} with name Nobody cannot be found."

    for action in ("Get{}Policy", "Delete{}Policy"):
        assert message(NoSuchEntity, owner.named("Nobody"), action, PolicyName="own") == said
    assert message(NoSuchEntity, owner.named("Nobody"), "List{}Policies") == said
    given = {"PolicyName": "own", "PolicyDocument": policy()}
    assert message(NoSuchEntity, owner.named("Nobody"), "Put{}Policy", **given) == said


def test_a_document_that_is_refused_stores_nothing_and_changes_nothing(owner: PolicyOwner) -> None:
    kept = policy()
    put(owner, "own", kept)

    for name in ("own", "new"):
        with pytest.raises(MalformedPolicyDocument):
            put(owner, name, "no policy")

    assert names(owner) == ("own",)
    assert unquote(owner.call("Get{}Policy", PolicyName="own").policy_document) == kept


def test_all_policies_of_an_owner_share_one_quota_that_white_space_does_not_count_in(owner: PolicyOwner) -> None:
    quota = SIZES[owner.kind]
    put(owner, "first", policy(length=quota - 200))
    put(owner, "second", policy(length=200))
    exceeded = f"Maximum policy size of {quota} bytes exceeded for {owner.noun} {owner.name}"

    assert message(LimitExceeded, owner, "Put{}Policy", PolicyName="third", PolicyDocument=policy()) == exceeded
    assert message(LimitExceeded, owner, "Put{}Policy", PolicyName="second", PolicyDocument=policy(length=201)) == exceeded
    assert names(owner) == ("first", "second")


def test_a_policy_does_not_count_against_the_one_in_whose_place_it_is_put(owner: PolicyOwner) -> None:
    quota = SIZES[owner.kind]
    put(owner, "own", policy(length=quota))
    put(owner, "own", policy("iam:Get*", length=quota))

    assert "iam:Get*" in unquote(owner.call("Get{}Policy", PolicyName="own").policy_document)


def test_each_owner_has_a_quota_of_their_own(owner: PolicyOwner) -> None:
    other = PolicyOwner.made(owner.home, owner.kind)
    for each in (owner, other):
        put(each, "own", policy(length=SIZES[owner.kind]))

    assert names(other) == ("own",)


def test_an_operator_may_set_other_quotas(tmp_path: Path) -> None:
    with house(tmp_path, quotas={"user_policy_size": 300}) as home:
        owner = PolicyOwner.made(home, "User")
        put(owner, "own", policy(length=300))

        said = message(LimitExceeded, owner, "Put{}Policy", PolicyName="own", PolicyDocument=policy(length=301))

    assert said == f"Maximum policy size of 300 bytes exceeded for user {owner.name}"


def test_an_owner_with_inline_policies_is_not_deleted(owner: PolicyOwner) -> None:
    put(owner, "own", policy())

    with pytest.raises(AWSError, match="Cannot delete entity, must delete policies first"):
        owner.call("Delete{}")

    owner.call("Delete{}Policy", PolicyName="own")
    owner.call("Delete{}")


def test_policies_do_not_come_back_with_a_name(owner: PolicyOwner) -> None:
    put(owner, "own", policy())
    owner.call("Delete{}Policy", PolicyName="own")
    owner.call("Delete{}")
    owner.create()

    assert names(owner) == ()


def test_what_a_policy_allows_is_allowed_from_the_next_request_and_no_longer_once_it_is_deleted(home: House) -> None:
    owner = PolicyOwner.made(home, "User")
    richard = home.principal(owner.name)
    with pytest.raises(AccessDenied):
        home.call("iam:ListUsers", richard)

    put(owner, "own", policy())
    assert home.call("iam:ListUsers", richard).users

    owner.call("DeleteUserPolicy", PolicyName="own")
    with pytest.raises(AccessDenied):
        home.call("iam:ListUsers", richard)


def test_another_spelling_of_a_name_is_no_way_around_a_deny_on_its_owner(owner: PolicyOwner) -> None:
    home, helper = owner.home, PolicyOwner.made(owner.home, "User")
    action = f"iam:Put{owner.kind}Policy"
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": action, "Resource": "*"},
            {"Effect": "Deny", "Action": action, "Resource": f"arn:aws:iam::*:{owner.noun}/{owner.name}"},
        ],
    }
    put(helper, "help", json.dumps(document))
    given = {"PolicyName": "own", "PolicyDocument": policy()}
    other = PolicyOwner.made(home, owner.kind)
    home.call(action, home.principal(helper.name), **{f"{owner.kind}Name": other.name}, **given)

    for spelling in (owner.name, owner.name.upper()):
        with pytest.raises(AccessDenied, match="explicit deny"):
            home.call(action, home.principal(helper.name), **{f"{owner.kind}Name": spelling}, **given)
