"""Trust policies that must be refused with MalformedPolicyDocument, by hand and by seed: names and texts.

`TRUST_WORDS` tells by name AWS's sentence, where it is known, as `malformed.WORDS` does.
"""

from __future__ import annotations

import json
from typing import Any

from tests.vectors.policies.damaged import NO_DOCUMENT, NO_JSON, STATEMENT, TRUST, document, generated

MALFORMED_TRUST: list[tuple[str, str]] = []
TRUST_WORDS: dict[str, str] = {}

SYNTAX = "Syntax errors in policy."
INVALID_JSON = "This policy contains invalid Json"
STS_ONLY = "AssumeRole policy may only specify STS AssumeRole actions."
EMPTY_PRINCIPAL = "Missing required field Principal cannot be empty!"

_ABSENT: Any = object()
_value: Any


def _refused(name: str, text: str, words: str | None = None) -> None:
    MALFORMED_TRUST.append((name, text))
    if words is not None:
        TRUST_WORDS[name] = words


def _statement(name: str, words: str | None = None, **elements: Any) -> None:
    statement = {name: value for name, value in (TRUST | elements).items() if value is not _ABSENT}
    _refused(name, document(statement), words)


for _name, _text in NO_JSON.items():
    _refused(f"json: {_name}", _text, INVALID_JSON)
for _name, _value in NO_DOCUMENT.items():
    _refused(f"document: {_name}", json.dumps(_value), INVALID_JSON)

_refused("empty", "{}", "Missing required field Statement")
_refused("no statement", '{"Version": "2012-10-17"}', "Missing required field Statement")
for _value in ([], {}):
    _refused(f"statement {_value}", document(Statement=_value), "Could not parse the policy: Statement is empty!")
for _value in ("2013-10-17", "", 2012, None, ["2012-10-17"]):
    _words = "The policy must contain a valid version string"
    _refused(f"version {json.dumps(_value)}", document(TRUST, Version=_value), _words)
for _value in (None, "Allow", [[]], [None], [TRUST, 1]):
    _refused(f"statement {json.dumps(_value)}", document(Statement=_value), SYNTAX)
_refused("an unknown element", document(TRUST, Extra=1), SYNTAX)
_refused("a list for an id", document(TRUST, Id=[]), SYNTAX)
_refused("a policy for identities", document(STATEMENT), "Missing required field Principal")
_words = "The Statement Ids in the policy are not unique"
_refused("sid twice", document(TRUST | {"Sid": "a b"}, TRUST | {"Sid": "a b"}), _words)
_statement("sid: a number", SYNTAX, Sid=1)
_statement("unknown element", SYNTAX, Extra="value")
_statement("effect: none", "Missing required field Effect", Effect=_ABSENT)
_statement("effect: no text", "Missing required field Effect", Effect="")
for _value in ("allow", "Maybe", "Allow "):
    _statement(f"effect: {_value!r}", f"Invalid effect: {_value}", Effect=_value)
for _value in (1, None, ["Allow"], {}):
    _statement(f"effect: {json.dumps(_value)}", SYNTAX, Effect=_value)
_statement("principal: none", "Missing required field Principal", Principal=_ABSENT)
for _value in ("", {}, {"AWS": []}, {"Service": []}):
    _statement(f"principal: {json.dumps(_value)}", EMPTY_PRINCIPAL, Principal=_value)
for _value in ("123456789012", "**", "arn:aws:iam::123456789012:root"):
    _statement(f"principal: {_value!r}", "Principal must be a JSON object.", Principal=_value)
for _value in (None, 1, True, ["*"], [], {"AWS": {}}, {"AWS": None}, {"AWS": [1]}, {"AWS": [["*"]]}, {"Service": 1}):
    _statement(f"principal: {json.dumps(_value)}", SYNTAX, Principal=_value)
for _value in ("Everybody", "aws", ""):
    _statement(f"principal of kind {_value!r}", f'Invalid principal in policy: "{_value}"', Principal={_value: "*"})
for _value in (
    "",
    "Richard",
    "12345678901",
    "1234567890123",
    "１２３４５６７８９０１２",
    "arn:aws::iam::123456789012:root",
    "arn:aws:iam::123456789012",
    "arn:aws:iam::123456789012:user/*",
    "arn:aws:iam::123456789012:*",
    "arn:aws:iam::*:root",
    "arn:aws:iam::123456789012:user/",
    "arn:aws:iam::123456789012:group/Admins",
    "arn:aws:iam::123456789012:mfa/Richard",
    "arn:aws:iam:us-east-1:123456789012:root",
    "arn:aws:s3:::bucket",
    "arn:aws:sts::123456789012:assumed-role/Role",
    "arn:aws:sts::123456789012:assumed-role/Role/*",
    "AIDA",
    "AKIAIOSFODNN7EXAMPLE",
    "**",
    "12345678901?",
    "${aws:PrincipalAccount}",
):
    _statement(f"principal: AWS {_value!r}", f'Invalid principal in policy: "AWS":"{_value}"', Principal={"AWS": ["*", _value]})
for _value in ("", "ec2", "*", "EC2.amazonaws.com", "ec2.amazonaws.com/", "arn:aws:iam::123456789012:root"):
    _statement(
        f"principal: service {_value!r}", f'Invalid principal in policy: "SERVICE":"{_value}"', Principal={"Service": _value}
    )
for _value in ("", "*", "google", "arn:aws:iam::123456789012:user/Richard"):
    _words = f'Invalid principal in policy: "FEDERATED":"{_value}"'
    _statement(f"principal: federated {_value!r}", _words, Principal={"Federated": _value})
_statement("allow with not principal", "Allow with NotPrincipal is not allowed.", Principal=_ABSENT, NotPrincipal={"AWS": "*"})
_statement("principal and not principal", SYNTAX, NotPrincipal={"AWS": "*"})
_statement("action: none", "Missing required field Action", Action=_ABSENT)
_statement("action: an empty list", "Missing required field Action", Action=[])
_statement("action and not action", SYNTAX, NotAction="sts:AssumeRole")
for _value in (1, None, {}, [1], [["sts:AssumeRole"]]):
    _statement(f"action: {json.dumps(_value)}", SYNTAX, Action=_value)
for _value in (
    "*",
    "sts:*",
    "sts:Assume*",
    "sts:GetSessionToken",
    "iam:PassRole",
    "AssumeRole",
    "",
    "sts:AssumeRoot",
    "sts:AssumeRole ",
):
    _statement(f"action: {_value!r}", STS_ONLY, Action=["sts:AssumeRole", _value])
_statement("resource", "Has prohibited field Resource.", Resource="*")
_statement("not resource", "AssumeRole policy must not contain resources.", NotResource="*")
for _value in ([], "a", {"Bool": "true"}, {"StringFoo": {"a": "b"}}, {"Bool": {"aws:MultiFactorAuthPresent": {}}}):
    _statement(f"condition: {json.dumps(_value)}", SYNTAX, Condition=_value)
_statement("condition: a number that is none", None, Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": "soon"}})

MALFORMED_TRUST += generated(140, seed=4, trust=True)
