"""What a policy's text is read as."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from instep.domain.policy.document import Document, Effect, Position, Principals, Version
from instep.domain.policy.json_text import places
from instep.domain.policy.reading import DocumentKind, context_keys, named_principals, read, with_principals
from tests.vectors.policies.damaged import STATEMENT, TRUST, document

PUBLISHED = sorted((Path(__file__).parents[3] / "vectors" / "policies").glob("*.json"))
RICHARD = "arn:aws:iam::123456789012:user/division/Richard"
ROLE = "arn:aws:iam::123456789012:role/Operators"


def identity(*statements: dict[str, Any], **elements: Any) -> Document:
    return read(document(*statements, **elements), DocumentKind.IDENTITY)


def trust(*statements: dict[str, Any]) -> Document:
    return read(document(*statements), DocumentKind.TRUST)


@pytest.mark.parametrize("path", PUBLISHED, ids=[path.stem for path in PUBLISHED])
@pytest.mark.parametrize("kind", [DocumentKind.IDENTITY, DocumentKind.MANAGED])
def test_the_published_policies_are_read(path: Path, kind: DocumentKind) -> None:
    assert read(path.read_text("utf-8"), kind).statements


def test_a_document_is_read_with_all_its_elements() -> None:
    read_document = identity(
        {
            "Sid": "One",
            "Effect": "Deny",
            "NotAction": ["IAM:List*", "sts:*"],
            "NotResource": "arn:aws:iam::*:user/${aws:username}",
            "Condition": {
                "BoolIfExists": {"aws:MultiFactorAuthPresent": "false"},
                "IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]},
            },
        },
        Id="id",
    )

    (statement,) = read_document.statements
    assert (read_document.version, read_document.id) == (Version.V2012, "id")
    assert (statement.sid, statement.effect, statement.principals) == ("One", Effect.DENY, None)
    assert statement.negated_actions
    assert statement.negated_resources
    assert not statement.negated_principals
    assert [pattern.text for pattern in statement.actions] == ["IAM:List*", "sts:*"]
    assert statement.actions[0].matches("iam:listUsers", {})
    assert statement.resources is not None
    assert statement.resources[0].matches("arn:aws:iam::123456789012:user/Richard", {"aws:username": ("Richard",)})
    assert [condition.key for condition in statement.conditions] == ["aws:MultiFactorAuthPresent", "aws:SourceIp"]


def test_one_statement_and_one_text_need_no_list() -> None:
    alone = read(json.dumps({"Statement": STATEMENT}), DocumentKind.IDENTITY)
    listed = read(
        json.dumps({"Statement": [{name: [value] if name != "Effect" else value for name, value in STATEMENT.items()}]}),
        DocumentKind.IDENTITY,
    )

    assert alone.statements[0].actions == listed.statements[0].actions
    assert alone.statements[0].resources == listed.statements[0].resources


def test_a_document_without_a_version_is_of_the_older_one_and_has_no_variables() -> None:
    older = read(json.dumps({"Statement": STATEMENT | {"Resource": "arn:aws:s3:::${aws:username"}}), DocumentKind.IDENTITY)

    assert older.version is Version.V2008
    assert context_keys(older) == set()
    assert older.statements[0].resources is not None
    assert older.statements[0].resources[0].matches("arn:aws:s3:::${aws:username", {})


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        "arn:aws:s3:::bucket",
        "arn:aws:s3:::bucket/home/${aws:username}/*",
        "arn:aws:s3:us-west-2:123456789012:accesspoint/mine",
        "arn:aws:ec2:*:*:instance/*",
        "arn:aws:ec2:*::snapshot/*",
        "arn:aws:dynamodb:us-east-1:123456789012:table/*",
        "arn:aws:lambda:us-east-1:123456789012:function:mine:*",
        "arn:aws:sns:us-east-1:123456789012:topic",
        "arn:aws:logs:*:*:log-group:/aws/lambda/*:*",
        "arn:aws:execute-api:*:*:a1b2c3/*/GET/*",
        "arn:aws:invalid-service:::whatever",
        "arn:aws:ec2:region:account-id:instance/*",
        "arn:aws:sqs",
        "arn:aws:sqs:us-east-1",
        "arn:aws-cn:iam::*:user/*",
        "arn:aws-us-gov:s3:::bucket",
        "arn:*:iam::*:role/x",
        "arn:aws:iam::*:*",
        "arn:aws:iam::123456789012:user/*",
        "arn:aws:iam::123456789012:mfa/${aws:username}",
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "arn:aws:iam::123456789012:oidc-provider/example.com",
    ],
)
def test_resources_of_every_service_are_taken(resource: str) -> None:
    assert identity(STATEMENT | {"Resource": [resource]}).statements


@pytest.mark.parametrize(
    "action", ["*", "*:*", "iam:*", "foo:Bar", "aws-portal:View*", "s3.s:x", "IAM:?et*", "execute-api:Invoke", "a:b c"]
)
def test_actions_of_any_vendor_are_taken(action: str) -> None:
    assert identity(STATEMENT | {"Action": action}).statements
    assert identity({"Effect": "Deny", "NotAction": action, "Resource": "*"}).statements


@pytest.mark.parametrize(
    "condition", [{}, {"StringEquals": {}}, {"ForAllValues:StringLikeIfExists": {"aws:TagKeys": ["a", "b*"]}}]
)
def test_conditions_may_be_empty(condition: dict[str, Any]) -> None:
    assert len(identity(STATEMENT | {"Condition": condition}).statements[0].conditions) == len(
        condition.get("ForAllValues:StringLikeIfExists", {})
    )


def test_numbers_and_truth_values_in_conditions_stand_for_their_texts() -> None:
    text = """{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {
        "NumericLessThan": {"aws:MultiFactorAuthAge": 3600}, "StringEquals": {"a": [1.50, true, "x"]}, "Bool": {"b": false}}}}"""

    (statement,) = read(text, DocumentKind.IDENTITY).statements

    assert [condition.values for condition in statement.conditions] == [("3600",), ("1.50", "true", "x"), ("false",)]


def test_statements_know_where_they_stand() -> None:
    text = (
        '{"Version": "2012-10-17",\n "Statement": [\n  '
        + json.dumps(STATEMENT)
        + ', {"Effect": "Deny",\n   "Action": "{[*", "Resource": "*"}]}'
    )
    text = text.replace("{[*", 'a:{[\\"}')

    first, second = read(text, DocumentKind.IDENTITY).statements

    assert (first.start, first.end) == (Position(3, 3), Position(3, 3 + len(json.dumps(STATEMENT))))
    assert second.start == Position(3, first.end.column + 2)
    assert second.end == Position(4, len(text.splitlines()[3]) - 1)


def test_a_statement_that_stands_alone_knows_where_it_stands() -> None:
    (statement,) = read('{"Statement":' + json.dumps(STATEMENT) + "}", DocumentKind.IDENTITY).statements

    assert (statement.start, statement.end) == (Position(1, 14), Position(1, 14 + len(json.dumps(STATEMENT))))


def test_the_same_text_is_read_once() -> None:
    text = document(STATEMENT, Id="once")

    assert read(text, DocumentKind.IDENTITY) is read(text, DocumentKind.IDENTITY)


def test_the_longest_policies_are_read() -> None:
    statements = [{"Effect": "Allow", "Action": f"s3:Get{number}", "Resource": "*"} for number in range(150)]
    text = document(*statements)

    assert 10_240 > len(text) > 9_000
    assert len(read(text, DocumentKind.IDENTITY).statements) == 150


@pytest.mark.parametrize(
    ("principal", "named"),
    [
        ("*", Principals(aws=("*",))),
        ({"AWS": "*"}, Principals(aws=("*",))),
        ({"AWS": "123456789012"}, Principals(aws=("123456789012",))),
        ({"AWS": [RICHARD, ROLE]}, Principals(aws=(RICHARD, ROLE))),
        ({"AWS": "arn:aws:iam::123456789012:root"}, Principals(aws=("arn:aws:iam::123456789012:root",))),
        ({"AWS": "arn:aws:sts::123456789012:assumed-role/R/S"}, Principals(aws=("arn:aws:sts::123456789012:assumed-role/R/S",))),
        ({"AWS": "AIDACKCEVSQ6C2EXAMPLE"}, Principals(aws=("AIDACKCEVSQ6C2EXAMPLE",))),
        (
            {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]},
            Principals(service=("ec2.amazonaws.com", "lambda.amazonaws.com")),
        ),
        ({"Federated": "accounts.google.com"}, Principals(federated=("accounts.google.com",))),
        (
            {"Federated": "arn:aws:iam::123456789012:saml-provider/ADFS"},
            Principals(federated=("arn:aws:iam::123456789012:saml-provider/ADFS",)),
        ),
        ({"CanonicalUser": "0f" * 32}, Principals(canonical_user=("0f" * 32,))),
        ({"AWS": RICHARD, "Service": "ec2.amazonaws.com"}, Principals(aws=(RICHARD,), service=("ec2.amazonaws.com",))),
    ],
)
def test_a_trust_policy_names_principals(principal: Any, named: Principals) -> None:
    (statement,) = trust(TRUST | {"Principal": principal}).statements

    assert statement.principals == named
    assert statement.resources is None
    assert not statement.negated_principals


def test_a_trust_policy_may_deny_all_but_some_principals() -> None:
    (statement,) = trust({"Effect": "Deny", "NotPrincipal": {"AWS": RICHARD}, "Action": "sts:AssumeRole"}).statements

    assert statement.negated_principals
    assert statement.principals == Principals(aws=(RICHARD,))


@pytest.mark.parametrize(
    "action", ["sts:AssumeRole", "STS:assumerole", "sts:TagSession", "sts:AssumeRole*", "sts:SetSourceIdentity"]
)
def test_a_trust_policy_is_about_assuming_roles(action: str) -> None:
    assert trust(TRUST | {"Action": action}).statements


def test_a_sid_in_a_trust_policy_may_be_any_text() -> None:
    assert trust(TRUST | {"Sid": "for Richard, until May"}).statements[0].sid == "for Richard, until May"


def test_named_principals_are_told_once_each_in_their_order() -> None:
    deny = {"Effect": "Deny", "NotPrincipal": {"AWS": [RICHARD, "*"]}, "Action": "sts:AssumeRole"}

    assert named_principals(trust(TRUST | {"Principal": {"AWS": [ROLE, RICHARD]}}, deny)) == (ROLE, RICHARD, "*")
    assert named_principals(identity(STATEMENT)) == ()


def test_principals_are_renamed_where_they_are_named_and_nowhere_else() -> None:
    text = f"""{{ "Version": "2012-10-17", "Statement": [
        {{"Sid": "{RICHARD}", "Effect": "Allow",
          "Principal": {{"AWS": ["{RICHARD}",  "{ROLE}"], "Service": "ec2.amazonaws.com"}}, "Action": "sts:AssumeRole",
          "Condition": {{"ArnEquals": {{"AWS": "{RICHARD}"}}}} }},
        {{"Effect": "Deny", "NotPrincipal": {{"AWS": "{RICHARD}"}}, "Action": "sts:AssumeRole"}} ] }}"""

    renamed = with_principals(text, {RICHARD: "AIDACKCEVSQ6C2EXAMPLE"})

    assert named_principals(read(renamed, DocumentKind.TRUST)) == ("AIDACKCEVSQ6C2EXAMPLE", ROLE)
    assert renamed.count(RICHARD) == text.count(RICHARD) - 2
    assert with_principals(renamed, {"AIDACKCEVSQ6C2EXAMPLE": RICHARD}) == text


def test_principals_of_a_statement_that_stands_alone_are_renamed_too() -> None:
    text = (
        json.dumps({"Statement": TRUST | {"Principal": {"AWS": RICHARD}}})
        .replace("user", "\\u0075ser")
        .replace("AWS", "A\\u0057S")
    )

    assert json.loads(with_principals(text, {RICHARD: ROLE}))["Statement"]["Principal"] == {"AWS": ROLE}


def test_a_text_in_which_nothing_is_renamed_comes_back_as_it_was() -> None:
    text = ' {"Statement" : ' + json.dumps(TRUST, indent=3) + "\r\n}"

    assert with_principals(text, {}) == text
    assert with_principals(text, {RICHARD: ROLE}) == text


def test_context_keys_are_those_of_conditions_and_variables_as_written() -> None:
    statement = STATEMENT | {
        "Resource": ["arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::${s3:x, 'y'}", "arn:aws:s3:::${*}"],
        "Condition": {
            "StringLike": {"s3:prefix": ["${aws:PrincipalTag/Team}/*", "x"]},
            "ArnLike": {"AWS:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:role/*"},
            "Null": {"aws:TokenIssueTime": "true"},
        },
    }

    assert context_keys(identity(statement)) == {
        "aws:username",
        "s3:x",
        "s3:prefix",
        "aws:PrincipalTag/Team",
        "AWS:PrincipalArn",
        "aws:PrincipalAccount",
        "aws:TokenIssueTime",
    }


@pytest.mark.parametrize("levels", [0, 1, 2, 3])
@pytest.mark.parametrize("path", PUBLISHED, ids=[path.stem for path in PUBLISHED])
def test_places_of_the_outer_levels_are_the_same_when_no_others_are_told(path: Path, levels: int) -> None:
    text = path.read_text("utf-8")

    assert [*places(text, levels=levels)] == [place for place in places(text) if len(place.path) <= levels]
