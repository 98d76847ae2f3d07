"""Managed policies attached to a user, a group or a role: all three alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from instep.api.common import AccessDenied, AWSError, ValidationError
from instep.api.errors import DeleteConflict, InvalidInput, LimitExceeded, NoSuchEntity
from instep.api.iam import AttachedPolicy
from tests.support.house import ACCOUNT, OTHER_ACCOUNT, House, house
from tests.support.policies import PolicyOwner, policy

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all of them: who is in it is looked up by name."""
    with house(tmp_path_factory.mktemp("house")) as shared:
        yield shared


@pytest.fixture(params=["User", "Group", "Role"])
def owner(request: pytest.FixtureRequest, home: House) -> PolicyOwner:
    return PolicyOwner.made(home, request.param)


def attached(owner: PolicyOwner, **parameters: object) -> list[str]:
    return [each.policy_name for each in owner.call("ListAttached{}Policies", **parameters).attached_policies]


def page_by_page(owner: PolicyOwner) -> list[AttachedPolicy]:
    """What is attached, asked for one by one."""
    page = owner.call("ListAttached{}Policies", MaxItems="1")
    listed = list(page.attached_policies)
    while page.is_truncated:
        page = owner.call("ListAttached{}Policies", MaxItems="1", Marker=page.marker)
        listed += page.attached_policies
    assert page.marker is None
    return listed


def message(error: type[AWSError], owner: PolicyOwner, action: str, **parameters: object) -> str:
    with pytest.raises(error) as caught:
        owner.call(action, **parameters)
    return caught.value.message


def test_a_policy_is_attached_listed_and_detached(owner: PolicyOwner) -> None:
    policy_arn = owner.policy("Own", Path="/staff/")
    owner.named(owner.name.lower()).call("Attach{}Policy", PolicyArn=policy_arn)

    listed = owner.call("ListAttached{}Policies")
    assert [(each.policy_name, each.policy_arn) for each in listed.attached_policies] == [(f"Own-{owner.name}", policy_arn)]
    assert (listed.is_truncated, listed.marker) == (False, None)

    owner.call("Detach{}Policy", PolicyArn=policy_arn)
    assert attached(owner) == []


def test_attaching_twice_succeeds_and_attaches_once(owner: PolicyOwner) -> None:
    policy_arn = owner.policy("Own")
    owner.call("Attach{}Policy", PolicyArn=policy_arn)
    owner.call("Attach{}Policy", PolicyArn=policy_arn)

    assert attached(owner) == [f"Own-{owner.name}"]


def test_a_policy_that_aws_manages_is_attached_by_its_arn(owner: PolicyOwner) -> None:
    owner.call("Attach{}Policy", PolicyArn=READ_ONLY)

    (listed,) = owner.call("ListAttached{}Policies").attached_policies
    assert (listed.policy_name, listed.policy_arn) == ("ReadOnlyAccess", READ_ONLY)


def test_only_the_exact_arn_of_a_policy_of_the_account_or_of_aws_can_be_attached(owner: PolicyOwner) -> None:
    name = owner.policy("Own").rpartition("/")[2]

    for policy_arn in (
        f"arn:aws:iam::{ACCOUNT}:policy/Missing",
        f"arn:aws:iam::{ACCOUNT}:policy/elsewhere/{name}",
        f"arn:aws:iam::{ACCOUNT}:policy/{name.upper()}",
        f"arn:aws:iam::{OTHER_ACCOUNT}:policy/{name}",
        f"arn:aws:iam::aws:policy/{name}",
        "arn:aws-cn:iam::aws:policy/ReadOnlyAccess",
    ):
        said = message(NoSuchEntity, owner, "Attach{}Policy", PolicyArn=policy_arn)
        assert said == f"Policy {policy_arn} does not exist or is not attachable."
    assert attached(owner) == []


def test_what_is_no_arn_could_not_be_parsed(owner: PolicyOwner) -> None:
    for no_arn in ("longpolicynamebutnoarn", "arn:aws:iam:policy/Richard"):
        for action in ("Attach{}Policy", "Detach{}Policy"):
            assert message(ValidationError, owner, action, PolicyArn=no_arn) == "Invalid ARN:  Could not be parsed!"


def test_the_arn_of_something_else_is_not_valid(owner: PolicyOwner) -> None:
    for other_arn in (
        f"arn:aws:iam::{ACCOUNT}:user/Richard",
        f"arn:aws:iam::{ACCOUNT}:policy/",
        "arn:aws:s3:::bucket/policy/Own",
    ):
        for action in ("Attach{}Policy", "Detach{}Policy"):
            assert message(InvalidInput, owner, action, PolicyArn=other_arn) == f"ARN {other_arn} is not valid."


def test_what_is_not_attached_was_not_found(owner: PolicyOwner) -> None:
    policy_arn = owner.policy("Own")

    for missing in (policy_arn, READ_ONLY, f"arn:aws:iam::{ACCOUNT}:policy/Missing"):
        assert message(NoSuchEntity, owner, "Detach{}Policy", PolicyArn=missing) == f"Policy {missing} was not found."


def test_an_owner_that_is_not_there_cannot_be_found(owner: PolicyOwner) -> None:
    said = f"The {owner.noun} with name Nobody cannot be found."

    for action in ("Attach{}Policy", "Detach{}Policy"):
        assert message(NoSuchEntity, owner.named("Nobody"), action, PolicyArn=READ_ONLY) == said
    assert message(NoSuchEntity, owner.named("Nobody"), "ListAttached{}Policies") == said


def test_ten_policies_may_be_attached_and_one_of_them_again(owner: PolicyOwner) -> None:
    arns = [owner.policy(f"p{number}") for number in range(11)]
    for policy_arn in arns[:10]:
        owner.call("Attach{}Policy", PolicyArn=policy_arn)

    said = message(LimitExceeded, owner, "Attach{}Policy", PolicyArn=arns[10])

    assert said == f"Cannot exceed quota for PoliciesPer{owner.kind}: 10"
    owner.call("Attach{}Policy", PolicyArn=arns[0])
    assert len(attached(owner)) == 10


def test_an_operator_may_set_other_quotas(tmp_path: Path) -> None:
    with house(tmp_path, quotas={"policies_per_group": 1}) as home:
        owner = PolicyOwner.made(home, "Group")
        owner.call("Attach{}Policy", PolicyArn=READ_ONLY)

        said = message(LimitExceeded, owner, "Attach{}Policy", PolicyArn=owner.policy("Own"))

    assert said == "Cannot exceed quota for PoliciesPerGroup: 1"


def test_attached_policies_are_listed_by_name_page_by_page_and_by_path(owner: PolicyOwner) -> None:
    # As long a path as there may be: no marker could hold such an ARN.
    long_path = "/" + "x" * 510 + "/"
    for name, path in (("b", "/"), ("C", long_path), ("a", long_path)):
        owner.call("Attach{}Policy", PolicyArn=owner.policy(name, Path=path))
    owner.call("Attach{}Policy", PolicyArn=READ_ONLY)

    listed, a, b, c = page_by_page(owner), *(f"{name}-{owner.name}" for name in "abC")

    assert [each.policy_name for each in listed] == [a, b, c, "ReadOnlyAccess"]
    assert attached(owner, PathPrefix="/x/") == []
    assert attached(owner, PathPrefix=long_path) == [a, c]
    assert message(ValidationError, owner, "ListAttached{}Policies", Marker="a") == "Invalid Marker."


def test_two_policies_of_one_name_are_both_listed(home: House) -> None:
    owner = PolicyOwner.made(home, "User")
    own = home.call("iam:CreatePolicy", PolicyName="readonlyaccess", PolicyDocument=policy()).policy.arn
    for policy_arn in (READ_ONLY, own):
        owner.call("AttachUserPolicy", PolicyArn=policy_arn)

    assert [each.policy_arn for each in page_by_page(owner)] == [own, READ_ONLY]


def test_an_attached_policy_and_its_owner_are_not_deleted(owner: PolicyOwner) -> None:
    policy_arn = owner.policy("Own")
    owner.call("Attach{}Policy", PolicyArn=policy_arn)

    assert message(DeleteConflict, owner, "Delete{}") == "Cannot delete entity, must detach all policies first."
    with pytest.raises(DeleteConflict):
        owner.home.call("iam:DeletePolicy", PolicyArn=policy_arn)

    owner.call("Detach{}Policy", PolicyArn=policy_arn)
    owner.home.call("iam:DeletePolicy", PolicyArn=policy_arn)
    owner.call("Delete{}")


def test_what_an_attached_policy_allows_is_allowed_until_it_is_detached(home: House) -> None:
    user, group = PolicyOwner.made(home, "User"), PolicyOwner.made(home, "Group")
    group.call("AddUserToGroup", UserName=user.name)
    richard, policy_arn = home.principal(user.name), user.policy()

    for owner in (user, group):
        owner.call("Attach{}Policy", PolicyArn=policy_arn)
        assert home.call("iam:ListUsers", richard).users
        owner.call("Detach{}Policy", PolicyArn=policy_arn)
        with pytest.raises(AccessDenied):
            home.call("iam:ListUsers", richard)
