"""The policies that AWS manages: what they say, and that they are as they are published."""

from __future__ import annotations

import json

import pytest

from instep.domain import aws_policies
from instep.domain.policy.evaluation import AccessRequest, Policies, Policy, decide
from instep.domain.policy.reading import DocumentKind, read

RICHARD = "arn:aws:iam::123456789012:user/Richard"


def arn_of(name: str) -> str:
    return f"arn:aws:iam::aws:policy/{name}"


def allows(name: str, action: str, resource: str = "*", **context: str) -> bool:
    text = aws_policies.document_of(arn_of(name))
    assert text is not None
    policies = Policies(identity=(Policy(read(text, DocumentKind.MANAGED), arn_of(name)),))
    keys = {f"aws:{key}": (value,) for key, value in context.items()}
    return decide(policies, AccessRequest(action, resource, keys)).allowed


def test_they_have_their_real_arns_ids_and_versions() -> None:
    shown = {policy_arn: (each.policy.policy_id, each.policy.default_version) for policy_arn, each in aws_policies.ALL.items()}

    assert shown == {
        arn_of("AdministratorAccess"): ("ANPAIWMBCKSKIEE64ZLYK", 1),
        arn_of("IAMFullAccess"): ("ANPAI7XKCFMBPM3QQRRVQ", 2),
        arn_of("IAMReadOnlyAccess"): ("ANPAJKSO7NDY4T57MWDSQ", 4),
        arn_of("IAMUserChangePassword"): ("ANPAJ4L4MM2A7QIEB56MS", 3),
        arn_of("ReadOnlyAccess"): ("ANPAILL3HVNFSB6DCOWYQ", 128),
        arn_of("SecurityAudit"): ("ANPAIX2T3QCXHR2OGGCTO", 49),
    }
    assert aws_policies.ADMINISTRATOR_ACCESS in shown


@pytest.mark.parametrize("policy_arn", aws_policies.ALL)
def test_each_is_a_document_that_anybody_could_keep(policy_arn: str) -> None:
    each = aws_policies.ALL[policy_arn]

    assert read(each.version.document, DocumentKind.MANAGED).statements
    assert each.policy.arn == policy_arn
    assert each.version.number == each.policy.default_version
    assert each.policy.created_at <= each.policy.updated_at == each.version.created_at
    assert aws_policies.find(policy_arn) is each.policy


def test_they_come_in_the_order_of_their_names() -> None:
    names = [each.policy.policy_name for each in aws_policies.ALL.values()]

    assert names == sorted(names, key=str.casefold)


def test_an_arn_that_is_not_theirs_finds_nothing() -> None:
    for policy_arn in (arn_of("administratoraccess"), "arn:aws:iam::123456789012:policy/AdministratorAccess", ""):
        assert aws_policies.find(policy_arn) is None
        assert aws_policies.document_of(policy_arn) is None


def test_administrators_may_do_everything() -> None:
    assert allows("AdministratorAccess", "iam:DeleteUser", RICHARD)
    assert allows("AdministratorAccess", "sts:AssumeRole", "arn:aws:iam::123456789012:role/Auditor")


def test_full_access_to_iam_ends_with_iam() -> None:
    assert allows("IAMFullAccess", "iam:DeleteUser", RICHARD)
    assert allows("IAMFullAccess", "organizations:ListRoots")
    assert not allows("IAMFullAccess", "organizations:CreateAccount")
    assert not allows("IAMFullAccess", "sts:AssumeRole", "arn:aws:iam::123456789012:role/Auditor")


@pytest.mark.parametrize("name", ["IAMReadOnlyAccess", "ReadOnlyAccess", "SecurityAudit"])
def test_readers_of_iam_see_everything_and_change_nothing(name: str) -> None:
    for action in ("iam:GetUser", "iam:ListMFADevices", "iam:GenerateCredentialReport", "iam:SimulatePrincipalPolicy"):
        assert allows(name, action, RICHARD)
    for action in ("iam:CreateUser", "iam:ResyncMFADevice", "iam:DeactivateMFADevice", "iam:ChangePassword", "sts:AssumeRole"):
        assert not allows(name, action, RICHARD)


def test_auditors_see_settings_and_no_data() -> None:
    assert allows("SecurityAudit", "s3:GetBucketPolicy", "arn:aws:s3:::papers")
    assert allows("SecurityAudit", "secretsmanager:DescribeSecret")
    assert not allows("SecurityAudit", "s3:GetObject", "arn:aws:s3:::papers/one")
    for name in ("SecurityAudit", "ReadOnlyAccess"):
        assert not allows(name, "secretsmanager:GetSecretValue")
    assert allows("ReadOnlyAccess", "s3:GetObject", "arn:aws:s3:::papers/one")


def test_users_may_change_their_own_password_wherever_their_path_leads() -> None:
    at_work = "arn:aws:iam::123456789012:user/staff/Richard"

    assert allows("IAMUserChangePassword", "iam:ChangePassword", RICHARD, username="Richard")
    assert allows("IAMUserChangePassword", "iam:ChangePassword", at_work, username="Richard")
    assert allows("IAMUserChangePassword", "iam:GetAccountPasswordPolicy", username="Richard")
    assert not allows("IAMUserChangePassword", "iam:ChangePassword", RICHARD, username="Diego")
    assert not allows("IAMUserChangePassword", "iam:ChangePassword", RICHARD)


def test_no_action_is_named_twice() -> None:
    for each in aws_policies.ALL.values():
        for statement in json.loads(each.version.document)["Statement"]:
            actions = statement["Action"]
            assert len(set(actions)) == len(actions)
