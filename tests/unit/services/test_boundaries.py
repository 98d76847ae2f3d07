"""Permissions boundaries of users and roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from instep.api.common import AccessDenied, AWSError, ValidationError
from instep.api.errors import DeleteConflict, InvalidInput, NoSuchEntity
from tests.support.house import ACCOUNT, OTHER_ACCOUNT, House, house
from tests.support.policies import PolicyOwner

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all of them: who is in it is looked up by name."""
    with house(tmp_path_factory.mktemp("house")) as shared:
        yield shared


@pytest.fixture(params=["User", "Role"])
def owner(request: pytest.FixtureRequest, home: House) -> PolicyOwner:
    return PolicyOwner.made(home, request.param)


def boundary(owner: PolicyOwner) -> Any:
    return getattr(owner.call("Get{}"), owner.noun).permissions_boundary


def message(error: type[AWSError], owner: PolicyOwner, action: str, **parameters: object) -> str:
    with pytest.raises(error) as caught:
        owner.call(action, **parameters)
    return caught.value.message


def test_a_boundary_is_put_shown_replaced_and_deleted(owner: PolicyOwner) -> None:
    policy_arn = owner.policy()
    owner.named(owner.name.lower()).call("Put{}PermissionsBoundary", PermissionsBoundary=policy_arn)
    assert boundary(owner).permissions_boundary_arn == policy_arn
    assert boundary(owner).permissions_boundary_type.value == "Policy"

    owner.call("Put{}PermissionsBoundary", PermissionsBoundary=READ_ONLY)
    assert boundary(owner).permissions_boundary_arn == READ_ONLY

    owner.call("Delete{}PermissionsBoundary")
    assert boundary(owner) is None


def test_deleting_a_boundary_that_is_not_there_succeeds(owner: PolicyOwner) -> None:
    owner.call("Delete{}PermissionsBoundary")

    assert boundary(owner) is None


def test_a_boundary_must_be_a_policy_that_exists(owner: PolicyOwner) -> None:
    name = owner.policy().rpartition("/")[2]

    for policy_arn in (
        f"arn:aws:iam::{ACCOUNT}:policy/Missing",
        f"arn:aws:iam::{OTHER_ACCOUNT}:policy/{name}",
        "arn:aws:iam::aws:policy/Missing",
    ):
        said = message(NoSuchEntity, owner, "Put{}PermissionsBoundary", PermissionsBoundary=policy_arn)
        assert said == f"Scope ARN: {policy_arn} does not exist or is not attachable."
    assert boundary(owner) is None


def test_a_boundary_must_be_the_arn_of_a_policy(owner: PolicyOwner) -> None:
    no_policy = f"arn:aws:iam::{ACCOUNT}:not_a_policy/invalid"

    assert message(InvalidInput, owner, "Put{}PermissionsBoundary", PermissionsBoundary=no_policy) == (
        f"ARN {no_policy} is not valid."
    )
    assert message(ValidationError, owner, "Put{}PermissionsBoundary", PermissionsBoundary="longpolicynamebutnoarn") == (
        "Invalid ARN:  Could not be parsed!"
    )


def test_an_owner_that_is_not_there_cannot_be_found(owner: PolicyOwner) -> None:
    said = f"The {owner.noun} with name Nobody cannot be found."

    assert message(NoSuchEntity, owner.named("Nobody"), "Put{}PermissionsBoundary", PermissionsBoundary=READ_ONLY) == said
    assert message(NoSuchEntity, owner.named("Nobody"), "Delete{}PermissionsBoundary") == said


def test_a_boundary_is_not_deleted_as_a_policy_but_goes_with_its_owner(owner: PolicyOwner) -> None:
    policy_arn = owner.policy()
    owner.call("Put{}PermissionsBoundary", PermissionsBoundary=policy_arn)
    with pytest.raises(DeleteConflict):
        owner.home.call("iam:DeletePolicy", PolicyArn=policy_arn)

    owner.call("Delete{}")

    owner.home.call("iam:DeletePolicy", PolicyArn=policy_arn)


def test_a_boundary_takes_away_and_gives_nothing(home: House) -> None:
    owner = PolicyOwner.made(home, "User")
    owner.call("AttachUserPolicy", PolicyArn=ADMINISTRATOR)
    owner.call("PutUserPermissionsBoundary", PermissionsBoundary=owner.policy())
    within = home.principal(owner.name)

    assert home.call("iam:ListUsers", within).users
    with pytest.raises(AccessDenied, match="permissions boundary"):
        home.call("iam:ListGroups", within)

    owner.call("DetachUserPolicy", PolicyArn=ADMINISTRATOR)
    with pytest.raises(AccessDenied):
        home.call("iam:ListUsers", within)
