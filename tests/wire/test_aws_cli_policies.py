"""Policies and roles by both generations of the AWS CLI: what administrators type, and what people see who may not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.vectors.policies.published import published
from tests.wire.aws_cli import AWS
from tests.wire.people import Account, Person, Phone
from tests.wire.policies import PRESENT, allow, document, restrict, trusting, user_arn


def file_of(folder: Path, text: str) -> str:
    """As --policy-document and its like take it."""
    file = folder / "document.json"
    file.write_text(text, encoding="utf-8")
    return f"file://{file}"


def codes(phone: Phone) -> list[str]:
    pair = phone.pair()
    return ["--authentication-code1", pair["AuthenticationCode1"], "--authentication-code2", pair["AuthenticationCode2"]]


def refused(aws: AWS, account: Account, person: Person, *arguments: str) -> str:
    """The one line that it ends with."""
    finished = aws.run(account, *arguments, as_=person)
    assert (finished.returncode, finished.stdout) == (aws.refused, "")
    return finished.stderr.strip()


def test_the_guides_policy_is_put_from_a_file_and_does_what_the_guide_says(aws: AWS, account: Account, tmp_path: Path) -> None:
    person = account.person()
    phone, arn = account.enabled_phone(person.name), user_arn(account, person.name)
    put = ("iam", "put-user-policy", "--user-name", person.name, "--policy-name", "mfa", "--policy-document")
    assert aws.done(account, *put, file_of(tmp_path, published("resync-only"))) == ""

    assert refused(aws, account, person, "iam", "list-users") == (
        "An error occurred (AccessDenied) when calling the ListUsers operation:"
        f" User: {arn} is not authorized to perform: iam:ListUsers"
        f" on resource: arn:aws:iam::{account.account_id}:user/ with an explicit deny in an identity-based policy"
    )
    phone.drift(minutes=20)
    own = ("--user-name", person.name, "--serial-number", phone.serial_number)
    assert aws.done(account, "iam", "resync-mfa-device", *own, *codes(phone), as_=person) == ""

    credentials = aws.json(
        account,
        *("sts", "get-session-token", "--serial-number", phone.serial_number, "--token-code", phone.code()),
        as_=person,
    )["Credentials"]
    account.secrets.words |= {credentials["SecretAccessKey"], credentials["SessionToken"]}
    session = Person(person.name, credentials["AccessKeyId"], credentials["SecretAccessKey"])
    token = {"AWS_SESSION_TOKEN": credentials["SessionToken"]}
    (device,) = aws.json(account, "iam", "list-mfa-devices", as_=session, **token)["MFADevices"]
    assert device["SerialNumber"] == phone.serial_number
    with_mfa = aws.run(account, "iam", "list-users", as_=session, **token)
    assert with_mfa.returncode == aws.refused
    assert with_mfa.stderr.strip().endswith("because no identity-based policy allows the iam:ListUsers action")


def test_a_policy_comes_back_as_it_was_put(aws: AWS, account: Account, tmp_path: Path) -> None:
    person = account.person()
    text = published("resync-only")
    aws.done(
        account,
        *("iam", "put-user-policy", "--user-name", person.name, "--policy-name", "mfa"),
        *("--policy-document", file_of(tmp_path, text)),
    )

    found = aws.json(account, "iam", "get-user-policy", "--user-name", person.name, "--policy-name", "mfa")

    assert found == {"UserName": person.name, "PolicyName": "mfa", "PolicyDocument": json.loads(text)}


def test_a_malformed_policy_is_one_line_and_an_exit_status(aws: AWS, account: Account, tmp_path: Path) -> None:
    person = account.person()

    finished = aws.run(
        account,
        *("iam", "put-user-policy", "--user-name", person.name, "--policy-name", "mfa"),
        *("--policy-document", file_of(tmp_path, '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}')),
    )

    assert (finished.returncode, finished.stdout) == (aws.refused, "")
    assert finished.stderr.strip() == (
        "An error occurred (MalformedPolicyDocument) when calling the PutUserPolicy operation:"
        " Policy statement must contain actions."
    )


def test_a_managed_policy_is_made_changed_attached_and_taken_away(aws: AWS, account: Account, tmp_path: Path) -> None:
    person, name = account.person(), account.name("policy")
    of_user = ("--user-name", person.name)
    made = aws.json(
        account,
        *("iam", "create-policy", "--policy-name", name, "--description", "Reads"),
        *("--policy-document", file_of(tmp_path, document(allow("iam:ListGroups")))),
    )["Policy"]
    of_policy = ("--policy-arn", made["Arn"])
    assert made["Arn"] == f"arn:aws:iam::{account.account_id}:policy/{name}"
    assert aws.done(account, "iam", "attach-user-policy", *of_user, *of_policy) == ""
    assert "not authorized" in refused(aws, account, person, "iam", "list-users")

    second = aws.json(
        account,
        *("iam", "create-policy-version", *of_policy, "--set-as-default"),
        *("--policy-document", file_of(tmp_path, document(allow("iam:ListUsers")))),
    )["PolicyVersion"]
    assert (second["VersionId"], second["IsDefaultVersion"]) == ("v2", True)
    assert aws.json(account, "iam", "list-users", "--max-items", "1", as_=person)["Users"]
    attached = aws.json(account, "iam", "list-attached-user-policies", *of_user)["AttachedPolicies"]
    assert attached == [{"PolicyName": name, "PolicyArn": made["Arn"]}]

    assert aws.done(account, "iam", "detach-user-policy", *of_user, *of_policy) == ""
    assert aws.done(account, "iam", "delete-policy-version", *of_policy, "--version-id", "v1") == ""
    assert aws.done(account, "iam", "delete-policy", *of_policy) == ""


def test_a_role_that_wants_mfa_is_assumed_with_a_code(aws: AWS, account: Account, tmp_path: Path) -> None:
    person, name = account.person(), account.name("role")
    phone, arn = account.enabled_phone(person.name), user_arn(account, person.name)
    restrict(account, person, document(allow("sts:AssumeRole")))
    trust = trusting(account.account_id, Bool={PRESENT: "true"})
    role = aws.json(
        account,
        *("iam", "create-role", "--role-name", name, "--assume-role-policy-document", file_of(tmp_path, trust)),
    )["Role"]
    assert role["AssumeRolePolicyDocument"] == json.loads(trust)
    assume = ("sts", "assume-role", "--role-arn", role["Arn"], "--role-session-name", "Session1")

    assert refused(aws, account, person, *assume) == (
        "An error occurred (AccessDenied) when calling the AssumeRole operation:"
        f" User: {arn} is not authorized to perform: sts:AssumeRole on resource: {role['Arn']}"
    )
    code = ("--serial-number", phone.serial_number, "--token-code", phone.code())
    answer = aws.json(account, *assume, *code, as_=person)
    account.secrets.words |= {answer["Credentials"][field] for field in ("SecretAccessKey", "SessionToken")}
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{account.account_id}:assumed-role/{name}/Session1"
    again = aws.run(account, *assume, *code, as_=person)
    # With the space that clients compare along with the rest.
    assert again.stderr.endswith("MultiFactorAuthentication failed with invalid MFA one time pass code. \n")


def test_groups_and_the_credential_report_read_as_people_expect(aws: AWS, account: Account, tmp_path: Path) -> None:
    person, group = account.person(), account.name("group")
    aws.json(account, "iam", "create-group", "--group-name", group)
    member = ("--group-name", group, "--user-name", person.name)
    assert aws.done(account, "iam", "add-user-to-group", *member) == ""
    put = ("iam", "put-group-policy", "--group-name", group, "--policy-name", "read", "--policy-document")
    assert aws.done(account, *put, file_of(tmp_path, document(allow("iam:ListUsers")))) == ""

    assert aws.json(account, "iam", "list-users", "--max-items", "1", as_=person)["Users"]
    users = aws.done(account, "iam", "get-group", "--group-name", group, "--query", "Users[].UserName", "--output", "text")
    assert users.split() == [person.name]
    assert aws.json(account, "iam", "generate-credential-report")["State"] in ("STARTED", "COMPLETE")
    report = aws.done(account, "iam", "get-credential-report", "--query", "ReportFormat", "--output", "text")
    assert report.strip() == "text/csv"


@pytest.mark.parametrize("mfa", ["true", "false"])
def test_a_simulation_tells_what_the_guides_policy_would_do(aws: AWS, account: Account, tmp_path: Path, mfa: str) -> None:
    answer = aws.json(
        account,
        *("iam", "simulate-custom-policy", "--policy-input-list", file_of(tmp_path, json.dumps([published("resync-only")]))),
        *("--action-names", "iam:ListUsers", "iam:ListVirtualMFADevices"),
        *("--context-entries", f"ContextKeyName={PRESENT},ContextKeyType=boolean,ContextKeyValues={mfa}"),
    )

    decided = {one["EvalActionName"]: one["EvalDecision"] for one in answer["EvaluationResults"]}
    assert decided == {
        "iam:ListUsers": "implicitDeny" if mfa == "true" else "explicitDeny",
        "iam:ListVirtualMFADevices": "allowed",
    }
