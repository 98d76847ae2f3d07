"""Whatever is no policy is refused with MalformedPolicyDocument, in AWS's words where they are known."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.api.errors import MalformedPolicyDocument
from instep.domain.policy.document import Document
from instep.domain.policy.reading import DocumentKind, read
from tests.vectors.policies.damaged import STATEMENT, TRUST, document
from tests.vectors.policies.malformed import MALFORMED, WORDS
from tests.vectors.policies.malformed_trust import MALFORMED_TRUST, TRUST_WORDS

KINDS = st.sampled_from(DocumentKind)
TEXTS = st.sampled_from(
    [
        "*",
        "",
        "Allow",
        "Deny",
        "2012-10-17",
        "iam:*",
        "sts:AssumeRole",
        "arn:aws:iam::*:user/${aws:username}",
        "${",
        "true",
        "5",
        "x:y:z",
    ]
)
ELEMENTS = ["Version", "Id", "Statement", "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"]
PRINCIPALS = ["Principal", "NotPrincipal", "AWS", "Service", "Federated", "CanonicalUser"]
OPERATORS = ["Bool", "StringLike", "NumericEquals", "DateEquals", "IpAddress", "ArnLike", "Null"]
NAMES = st.sampled_from([*ELEMENTS, *PRINCIPALS, *OPERATORS, "aws:username", "x"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.text(max_size=9)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=12,
)


@pytest.mark.parametrize(("name", "text"), MALFORMED, ids=[name for name, _ in MALFORMED])
@pytest.mark.parametrize("kind", [DocumentKind.IDENTITY, DocumentKind.MANAGED])
def test_what_is_no_policy_is_refused_in_awss_words(name: str, text: str, kind: DocumentKind) -> None:
    with pytest.raises(MalformedPolicyDocument) as refused:
        read(text, kind)

    assert refused.value.message == WORDS.get(name, refused.value.message)
    assert refused.value.message


@pytest.mark.parametrize(("name", "text"), MALFORMED_TRUST, ids=[name for name, _ in MALFORMED_TRUST])
def test_what_is_no_trust_policy_is_refused_in_awss_words(name: str, text: str) -> None:
    with pytest.raises(MalformedPolicyDocument) as refused:
        read(text, DocumentKind.TRUST)

    assert refused.value.message == TRUST_WORDS.get(name, refused.value.message)
    assert refused.value.message


def test_there_are_enough_of_them_and_no_two_share_a_name() -> None:
    assert len(MALFORMED) > 400
    assert len(MALFORMED_TRUST) > 200
    for policies in (MALFORMED, MALFORMED_TRUST):
        assert len(dict(policies)) == len(policies)


def test_a_refusal_without_words_of_awss_names_the_statement_and_what_is_wrong_with_it() -> None:
    soon = STATEMENT | {"Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "soon"}}}

    with pytest.raises(MalformedPolicyDocument) as refused:
        read(document(STATEMENT, soon), DocumentKind.IDENTITY)

    assert refused.value.message == "Statement 2, Condition: NumericLessThan for aws:MultiFactorAuthAge, 'soon' is no number."


def test_what_a_policy_says_is_told_to_its_sender_but_not_to_the_log() -> None:
    with pytest.raises(MalformedPolicyDocument) as refused:
        read(document(STATEMENT | {"Resource": "swordfish"}), DocumentKind.IDENTITY)

    assert "swordfish" in refused.value.message
    assert "swordfish" not in refused.value.loggable
    assert refused.value.__cause__ is None


def test_a_long_text_is_not_told_back_in_full() -> None:
    with pytest.raises(MalformedPolicyDocument) as refused:
        read(document(STATEMENT | {"Resource": "x" * 5000}), DocumentKind.IDENTITY)

    assert len(refused.value.message) < 400


def test_braces_in_a_policy_are_told_back_as_they_are() -> None:
    with pytest.raises(MalformedPolicyDocument) as refused:
        read(document(STATEMENT | {"Resource": "{0} {x}"}), DocumentKind.IDENTITY)

    assert refused.value.message == 'Resource {0} {x} must be in ARN format or "*".'


@pytest.mark.parametrize("version", [{}, {"Version": "2008-10-17"}])
def test_a_managed_policy_must_be_of_the_newer_version(version: dict[str, str]) -> None:
    text = json.dumps({**version, "Statement": [STATEMENT]})

    assert read(text, DocumentKind.IDENTITY).statements
    with pytest.raises(MalformedPolicyDocument) as refused:
        read(text, DocumentKind.MANAGED)

    assert refused.value.message == "Policy document must be version 2012-10-17 or greater."


@given(text=st.text(st.characters(exclude_categories=[])), kind=KINDS)
def test_any_text_is_a_policy_or_malformed(text: str, kind: DocumentKind) -> None:
    assert_read_or_refused(text, kind)


@given(value=VALUES, kind=KINDS)
def test_any_json_is_a_policy_or_malformed(value: Any, kind: DocumentKind) -> None:
    assert_read_or_refused(json.dumps(value), kind)


@given(elements=st.dictionaries(NAMES, VALUES, max_size=3), top=st.dictionaries(NAMES, VALUES, max_size=1), kind=KINDS)
def test_any_statement_is_one_or_malformed(elements: dict[str, Any], top: dict[str, Any], kind: DocumentKind) -> None:
    base = TRUST if kind is DocumentKind.TRUST else STATEMENT

    assert_read_or_refused(json.dumps({"Version": "2012-10-17", "Statement": base | elements} | top), kind)


@given(data=st.data(), kind=KINDS)
def test_a_damaged_policy_is_read_or_refused(data: st.DataObject, kind: DocumentKind) -> None:
    text = document(TRUST if kind is DocumentKind.TRUST else STATEMENT, Id="id")
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))

    assert_read_or_refused(text[:start] + data.draw(st.text(max_size=9)) + text[end:], kind)


def test_a_megabyte_is_read_or_refused_without_harm() -> None:
    statement = document(STATEMENT)[1:-1]
    for text in (document(*[STATEMENT] * 15_000), "[" * 1_000_000, '"' * 1_000_000, f"{{{statement}" * 10_000, "{}" * 500_000):
        assert_read_or_refused(text, DocumentKind.IDENTITY)


def assert_read_or_refused(text: str, kind: DocumentKind) -> None:
    with suppress(MalformedPolicyDocument):
        assert isinstance(read(text, kind), Document)
