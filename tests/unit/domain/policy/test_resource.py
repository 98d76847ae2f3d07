"""Resource-based policies other than trust policies: such as a bucket's, which are only ever simulated."""

from __future__ import annotations

import json
from typing import Any

import pytest

from instep.api.errors import MalformedPolicyDocument
from instep.domain.policy.document import Document
from instep.domain.policy.reading import DocumentKind, read
from tests.unit.domain.policy.making import RICHARD

STATEMENT = {"Effect": "Allow", "Principal": {"AWS": RICHARD}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}


def document(**changes: Any) -> Document:
    """Of one statement, without the elements that are None."""
    elements = {name: value for name, value in (STATEMENT | changes).items() if value is not None}
    return read(json.dumps({"Version": "2012-10-17", "Statement": elements}), DocumentKind.RESOURCE)


def test_principals_and_resources_are_both_read() -> None:
    (statement,) = document().statements

    assert statement.principals is not None
    assert statement.principals.aws == (RICHARD,)
    assert [pattern.text for pattern in statement.resources or ()] == ["arn:aws:s3:::bucket/*"]


def test_a_trust_policy_is_one_too() -> None:
    (statement,) = document(Action="sts:AssumeRole", Resource=None).statements

    assert statement.resources is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Principal": None}, "Missing required field Principal"),
        ({"Principal": {"AWS": "Richard"}}, 'Invalid principal in policy: "AWS":"Richard"'),
        ({"Principal": None, "NotPrincipal": {"AWS": RICHARD}}, "Allow with NotPrincipal is not allowed."),
        ({"NotPrincipal": {"AWS": RICHARD}}, "Syntax errors in policy."),
        ({"Effect": "Maybe"}, "Syntax errors in policy."),
        ({"Effect": ["Allow"]}, "Syntax errors in policy."),
        ({"Sid": 1}, "Syntax errors in policy."),
        ({"Other": "x"}, "Syntax errors in policy."),
        ({"Action": None}, "Policy statement must contain actions."),
        ({"Action": [1]}, "Syntax errors in policy."),
        ({"NotAction": "s3:*"}, "Syntax errors in policy."),
        ({"NotResource": "*"}, "Syntax errors in policy."),
        ({"Condition": {"Maybe": {"aws:x": "y"}}}, "Syntax errors in policy."),
    ],
)
def test_what_is_none_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MalformedPolicyDocument) as caught:
        document(**changes)

    assert caught.value.message == message


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"Version": 1, "Statement": []}', '{"Statement": []}', '{"Statement": ["x"]}', "x"]
)
def test_what_is_no_document_at_all_is_refused(text: str) -> None:
    with pytest.raises(MalformedPolicyDocument, match="Syntax errors in policy"):
        read(text, DocumentKind.RESOURCE)
