"""Whom a trust policy names is known by unique id, and shown by the ARN of the day."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest

from instep.api.errors import LimitExceeded, MalformedPolicyDocument
from instep.domain.identity import Principal
from tests.support.house import ACCOUNT, OTHER_ACCOUNT, House, house

RICHARD = f"arn:aws:iam::{ACCOUNT}:user/staff/Richard"


def trusting(*names: str, effect: str = "Allow", element: str = "Principal") -> str:
    """With one name standing alone, and several in a list, as people write them."""
    aws = names[0] if len(names) == 1 else list(names)
    statement = {"Effect": effect, element: {"AWS": aws}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def make(home: House, name: str, document: str) -> None:
    home.call("iam:CreateRole", RoleName=name, AssumeRolePolicyDocument=document)


def shown(home: House, name: str) -> str:
    return unquote(home.call("iam:GetRole", RoleName=name).role.assume_role_policy_document)


def kept(home: House, name: str) -> str:
    role = home.service.store.read(lambda tx: tx.roles.find(ACCOUNT, name))
    assert role is not None
    return role.trust_policy


def refusal(home: House, document: str) -> str:
    with pytest.raises(MalformedPolicyDocument) as refused:
        make(home, "Auditor", document)
    assert home.call("iam:ListRoles").roles == ()
    return refused.value.message


def test_a_user_is_kept_by_id_and_shown_as_written(home: House) -> None:
    richard = home.user("Richard", Path="/staff/")
    document = trusting(RICHARD)
    make(home, "Auditor", document)

    assert kept(home, "Auditor") == trusting(richard.holder_id)
    assert shown(home, "Auditor") == document


def test_the_text_around_the_names_stays_as_written(home: House) -> None:
    home.user("Richard", Path="/staff/")
    document = (
        '{ "Version":"2012-10-17",\n\t"Statement": {"Sid":"a", "Effect":"Allow",  "Action":["sts:AssumeRole"],\n'
        f'   "Principal": {{ "AWS" : [ "{RICHARD}" ], "Service": "ec2.amazonaws.com" }},\n'
        f'   "Condition": {{"StringEquals": {{"aws:PrincipalArn": "{RICHARD}"}}}} }} }}'
    )
    make(home, "Auditor", document)

    assert shown(home, "Auditor") == document
    assert kept(home, "Auditor").count(RICHARD) == 1


def test_a_renamed_user_stays_trusted_and_is_shown_by_the_new_arn(home: House) -> None:
    home.user("Richard", Path="/staff/")
    make(home, "Auditor", trusting(RICHARD))
    before = kept(home, "Auditor")

    home.call("iam:UpdateUser", UserName="Richard", NewUserName="Dick", NewPath="/")

    assert kept(home, "Auditor") == before
    assert shown(home, "Auditor") == trusting(f"arn:aws:iam::{ACCOUNT}:user/Dick")


def test_whoever_is_made_again_under_a_trusted_name_is_not_trusted(home: House) -> None:
    richard = home.user("Richard", Path="/staff/")
    make(home, "Auditor", trusting(RICHARD))

    home.call("iam:DeleteUser", UserName="Richard")
    again = home.user("Richard", Path="/staff/")

    assert again.holder_id != richard.holder_id
    assert shown(home, "Auditor") == kept(home, "Auditor") == trusting(richard.holder_id)


def test_what_is_shown_can_be_saved_again_until_somebody_in_it_is_gone(home: House) -> None:
    richard = home.user("Richard", Path="/staff/")
    make(home, "Auditor", trusting(RICHARD, f"arn:aws:iam::{ACCOUNT}:root"))

    home.call("iam:UpdateAssumeRolePolicy", RoleName="Auditor", PolicyDocument=shown(home, "Auditor"))
    home.call("iam:UpdateAssumeRolePolicy", RoleName="Auditor", PolicyDocument=kept(home, "Auditor"))
    before = kept(home, "Auditor")
    home.call("iam:DeleteUser", UserName="Richard")
    with pytest.raises(MalformedPolicyDocument) as refused:
        home.call("iam:UpdateAssumeRolePolicy", RoleName="Auditor", PolicyDocument=shown(home, "Auditor"))

    assert refused.value.message == f'Invalid principal in policy: "AWS":"{richard.holder_id}"'
    assert kept(home, "Auditor") == before


def test_roles_are_trusted_by_id_too_and_may_trust_themselves(home: House) -> None:
    make(home, "Auditor", trusting(ACCOUNT))
    own = f"arn:aws:iam::{ACCOUNT}:role/Auditor"
    auditor_id = home.call("iam:GetRole", RoleName="Auditor").role.role_id

    home.call("iam:UpdateAssumeRolePolicy", RoleName="Auditor", PolicyDocument=trusting(own))

    assert kept(home, "Auditor") == trusting(auditor_id)
    assert shown(home, "Auditor") == trusting(own)


def test_people_of_other_accounts_here_are_found_and_shown(home: House) -> None:
    other = Principal.root(OTHER_ACCOUNT)
    diego = home.call("iam:CreateUser", other, UserName="Diego").user
    home.call("iam:CreateRole", other, RoleName="Visitor", AssumeRolePolicyDocument=trusting(ACCOUNT))
    visitor = home.call("iam:GetRole", other, RoleName="Visitor").role
    make(home, "Auditor", trusting(diego.arn, visitor.arn))

    assert kept(home, "Auditor") == trusting(diego.user_id, visitor.role_id)
    assert shown(home, "Auditor") == trusting(diego.arn, visitor.arn)

    home.call("iam:UpdateUser", other, UserName="Diego", NewUserName="James")
    assert shown(home, "Auditor") == trusting(f"arn:aws:iam::{OTHER_ACCOUNT}:user/James", visitor.arn)


def test_those_who_must_not_are_known_by_id_as_well(home: House) -> None:
    richard = home.user("Richard", Path="/staff/")
    document = trusting(RICHARD, effect="Deny", element="NotPrincipal")
    make(home, "Auditor", document)

    assert kept(home, "Auditor") == trusting(richard.holder_id, effect="Deny", element="NotPrincipal")
    assert shown(home, "Auditor") == document


@pytest.mark.parametrize(
    "name",
    [
        "*",
        ACCOUNT,
        "999999999999",
        f"arn:aws:iam::{ACCOUNT}:root",
        "arn:aws:iam::999999999999:root",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Nobody/session",
        f"arn:aws:sts::{ACCOUNT}:federated-user/Nobody",
    ],
)
def test_accounts_and_sessions_are_kept_as_written(home: House, name: str) -> None:
    make(home, "Auditor", trusting(name))

    assert kept(home, "Auditor") == shown(home, "Auditor") == trusting(name)


@pytest.mark.parametrize(
    "principal",
    [
        {"Service": "ec2.amazonaws.com"},
        {"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]},
        {"Federated": "cognito-identity.amazonaws.com"},
        {"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/Corp"},
    ],
    ids=str,
)
def test_services_and_providers_are_kept_as_written(home: House, principal: dict[str, object]) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    make(home, "Auditor", document)

    assert kept(home, "Auditor") == shown(home, "Auditor") == document


@pytest.mark.parametrize(
    "name",
    [
        f"arn:aws:iam::{ACCOUNT}:user/Nobody",
        f"arn:aws:iam::{ACCOUNT}:role/Nobody",
        "arn:aws:iam::999999999999:user/Richard",
        f"arn:aws:iam::{ACCOUNT}:user/Richard",
        f"arn:aws:iam::{ACCOUNT}:user/staff/richard",
        f"arn:aws:iam::{ACCOUNT}:user/staff/deep/Richard",
        f"arn:aws:iam::{ACCOUNT}:role/staff/Richard",
        f"arn:aws:iam::{OTHER_ACCOUNT}:user/staff/Richard",
        f"arn:aws-cn:iam::{ACCOUNT}:user/staff/Richard",
        f"arn:aws-cn:iam::{ACCOUNT}:root",
        "AIDANOBODYNOBODYNOBOD",
        "AROANOBODYNOBODYNOBOD",
    ],
    ids=["no-user", "no-role", "no-account", "no-path", "case", "path", "kind", "other", "china", "china-root", "AIDA", "AROA"],
)
def test_nobody_can_be_trusted_who_does_not_exist(home: House, name: str) -> None:
    home.user("Richard", Path="/staff/")

    assert refusal(home, trusting(RICHARD, name)) == f'Invalid principal in policy: "AWS":"{name}"'


def test_what_somebody_was_not_found_under_is_told_the_sender_and_no_log(home: House) -> None:
    with pytest.raises(MalformedPolicyDocument) as refused:
        make(home, "Auditor", trusting(f"arn:aws:iam::{ACCOUNT}:user/Nobody"))

    assert "Nobody" not in str(refused.value)


def test_what_is_no_trust_policy_is_refused_in_aws_words(home: House) -> None:
    assert refusal(home, "not valid json") == "This policy contains invalid Json"
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:InvalidAction"}
    assert refusal(home, json.dumps({"Version": "2012-10-17", "Statement": statement})) == (
        "AssumeRole policy may only specify STS AssumeRole actions."
    )


def test_a_trust_policy_may_have_2048_characters_besides_white_space(home: House) -> None:
    def padded(size: int) -> str:
        bare = '{"Version":"2012-10-17","Id":"%s","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}'
        return bare % ("x" * (size - len(bare) + 2)) + " \n" * 100

    make(home, "Longest", padded(2048))
    with pytest.raises(LimitExceeded) as refused:
        make(home, "Longer", padded(2049))

    assert refused.value.message == "Cannot exceed quota for ACLSizePerRole: 2048"


def test_a_page_of_roles_shows_everybody_by_name(tmp_path: Path) -> None:
    with house(tmp_path, quotas={"trust_policy_size": 100_000}) as home:
        arns = [home.call("iam:CreateUser", UserName=f"user-{number}").user.arn for number in range(600)]
        make(home, "First", trusting(*arns[:400]))
        make(home, "Second", trusting(*arns[200:]))

        first, second = home.call("iam:ListRoles").roles

    assert json.loads(unquote(first.assume_role_policy_document)) == json.loads(trusting(*arns[:400]))
    assert json.loads(unquote(second.assume_role_policy_document)) == json.loads(trusting(*arns[200:]))
