"""Policies for identities that must be refused with MalformedPolicyDocument, by hand and by seed: names and texts.

`WORDS` tells by name AWS's sentence, where it is known: from the tests of moto and versitygw and from what people report of AWS's
answers.
"""

from __future__ import annotations

import json
from typing import Any

from tests.vectors.policies.damaged import NO_DOCUMENT, NO_JSON, STATEMENT, document, generated

MALFORMED: list[tuple[str, str]] = []
WORDS: dict[str, str] = {}

SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
ONE_COLON = "Actions/Condition can contain only one colon."
NO_ACTIONS = "Policy statement must contain actions."
NO_RESOURCES = "Policy statement must contain resources."
QUALIFIED = "Resource vendor must be fully qualified and cannot contain regexes."
UNIQUE = "Statement IDs (SID) in a single policy must be unique."
ALPHANUMERIC = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
NO_PRINCIPAL = "Policy document should not specify a principal."
IAM_PATH = (
    'IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, '
    "server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/."
)

_ABSENT: Any = object()
_value: Any


def _refused(name: str, text: str, words: str | None = None) -> None:
    MALFORMED.append((name, text))
    if words is not None:
        WORDS[name] = words


def _statement(name: str, words: str | None = None, **elements: Any) -> None:
    statement = {name: value for name, value in (STATEMENT | elements).items() if value is not _ABSENT}
    _refused(name, document(statement), words)


def _condition(name: str, block: Any, words: str | None = SYNTAX) -> None:
    _statement(f"condition: {name}", words, Condition=block)


for _name, _text in NO_JSON.items():
    _refused(f"json: {_name}", _text, SYNTAX)
for _name, _value in NO_DOCUMENT.items():
    _refused(f"document: {_name}", json.dumps(_value), SYNTAX)

# The document's elements.
for _name, _text in {
    "empty": "{}",
    "no statement": '{"Version": "2012-10-17"}',
    "no statements": document(),
    "a statement of nothing": document({}),
    "a text for a statement": document("Allow"),
    "a number for a statement": document(1),
    "null for a statement": document(None),
    "a list in the list": document([STATEMENT]),
    "one statement of two a text": document(STATEMENT, "Allow"),
    "statements: null": document(Statement=None),
    "statements: a text": document(Statement="*"),
    "statements: true": document(Statement=True),
    "a version to come": document(STATEMENT, Version="2013-10-17"),
    "a version with a space": document(STATEMENT, Version="2012-10-17 "),
    "no text for a version": document(STATEMENT, Version=""),
    "a number for a version": document(STATEMENT, Version=20121017),
    "null for a version": document(STATEMENT, Version=None),
    "a list for a version": document(STATEMENT, Version=["2012-10-17"]),
    "an object for a version": document(STATEMENT, Version={}),
    "a list for an id": document(STATEMENT, Id=["id"]),
    "an object for an id": document(STATEMENT, Id={}),
    "a number for an id": document(STATEMENT, Id=1),
    "null for an id": document(STATEMENT, Id=None),
    "an unknown element": document(STATEMENT, Extra="value"),
    "version in lower case": json.dumps({"version": "2012-10-17", "Statement": [STATEMENT]}),
    "statement in lower case": json.dumps({"Version": "2012-10-17", "statement": [STATEMENT]}),
    "statements in the plural": json.dumps({"Version": "2012-10-17", "Statements": [STATEMENT]}),
    "a condition outside statements": document(STATEMENT, Condition={}),
    "an effect outside statements": document(STATEMENT, Effect="Allow"),
}.items():
    _refused(f"document: {_name}", _text, SYNTAX)

# Effect, Sid, unknown and forbidden elements.
for _value in ("invalid", "", "Allow ", "*", 1, True, None, ["Allow"], {}, "ALLOWED"):
    _statement(f"effect: {json.dumps(_value)}", SYNTAX, Effect=_value)
for _value in ("allow", "DENY", "aLLow"):
    _statement(f"effect: {_value}", LEGACY, Effect=_value)
_statement("effect: none", SYNTAX, Effect=_ABSENT)
for _value in ({}, [], 1, True, None):
    _statement(f"sid: {json.dumps(_value)}", SYNTAX, Sid=_value)
for _value in ("two words", "under_score", "hy-phen", "café", "full stop.", "\u0661", "line\n"):
    _statement(f"sid: {_value!r}", ALPHANUMERIC, Sid=_value)
_refused("sid: twice", document(STATEMENT | {"Sid": "one"}, STATEMENT | {"Sid": "one"}), UNIQUE)
_refused("sid: twice, and no action", document(STATEMENT | {"Sid": "one"}, {"Sid": "one", "Effect": "Allow"}), UNIQUE)
for _name in ("Extra field", "action", "resource", "Actions", "Conditions", "NotEffect", "NotCondition", "", "Comment"):
    _statement(f"unknown element: {_name!r}", SYNTAX, **{_name: "value"})
for _value in ("*", {"AWS": "*"}, {}, None, []):
    _statement(f"principal: {json.dumps(_value)}", NO_PRINCIPAL, Principal=_value)
_statement("not principal", NO_PRINCIPAL, NotPrincipal={"AWS": "*"})

# Action and NotAction.
for _value in ({}, [[]], [{}], 1, [1], True, None, [None], [["iam:ListUsers"]], {"iam": "ListUsers"}):
    _statement(f"action: {json.dumps(_value)}", SYNTAX, Action=_value)
    _statement(f"not action: {json.dumps(_value)}", SYNTAX, Action=_ABSENT, NotAction=_value)
_statement("action: none", NO_ACTIONS, Action=_ABSENT)
_statement("action: an empty list", NO_ACTIONS, Action=[])
_statement("not action: an empty list", NO_ACTIONS, Action=_ABSENT, NotAction=[])
_statement("action and not action", SYNTAX, NotAction="s3:*")
_statement("action and an empty not action", SYNTAX, NotAction=[])
_refused("action: none in the first of two", document({"Effect": "Deny"}, STATEMENT), NO_ACTIONS)
for _value in ("", "invalid", "ListUsers", "iam", "i*", "**", "?", "iam.ListUsers", "iam ListUsers"):
    _statement(f"action: {_value!r}", VENDOR, Action=_value)
    _statement(f"not action: {_value!r}", VENDOR, Action=_ABSENT, NotAction=[_value])
_statement("action: no vendor and no resource", VENDOR, Action="invalid", Resource=_ABSENT)
for _value in ("s3:List:Bucket", "s:3s:ListBucket", "iam::ListUsers", "arn:aws:iam::aws:policy/AdministratorAccess", "::"):
    _statement(f"action: {_value!r}", ONE_COLON, Action=["iam:ListUsers", _value])
for _vendor in ("a a", "", "i*m", "ia?", "**", "im/am", "ïam", "$iam"):
    _statement(f"vendor: {_vendor!r}", f"Vendor {_vendor} is not valid", Action=f"{_vendor}:ListUsers")
_statement("action: a vendor alone", Action="iam:")
_statement("action: a variable", Action="iam:${*}")
_statement("action: a variable with its colon", ONE_COLON, Action="iam:${aws:username}")

# Resource and NotResource.
for _value in ({}, {"a": "*"}, ["arn:aws:s3:::b", {}], [["*"]], 1, True, None, [None]):
    _statement(f"resource: {json.dumps(_value)}", SYNTAX, Resource=_value)
    _statement(f"not resource: {json.dumps(_value)}", SYNTAX, Resource=_ABSENT, NotResource=_value)
_statement("resource: none", NO_RESOURCES, Resource=_ABSENT)
_statement("resource: an empty list", NO_RESOURCES, Resource=[])
_statement("not resource: an empty list", NO_RESOURCES, Resource=_ABSENT, NotResource=[])
_statement("resource and not resource", SYNTAX, NotResource="arn:aws:s3:::b")
_statement("resource and an empty not resource", SYNTAX, NotResource=[])
for _value in ("", "invalid resource", "bucket", "**", "?", "user/Richard", "arn"):
    _statement(f"resource: {_value!r}", f'Resource {_value} must be in ARN format or "*".', Resource=_value)
    _statement(
        f"not resource: {_value!r}", f'Resource {_value} must be in ARN format or "*".', Resource=_ABSENT, NotResource=[_value]
    )
_statement("resource: no ARN after a good one", 'Resource x must be in ARN format or "*".', Resource=["*", "x"])
_statement("resource: another scheme", Resource="urn:aws:iam::123456789012:user/Richard")
for _value, _partition, _arn in (
    ("a:b", "b", "arn:b:*:*:*:*"),
    ("a:b:c", "b", "arn:b:c:*:*:*"),
    ("a:b:c:d:e:f:g:h", "b", "arn:b:c:d:e:f:g:h"),
    ("aws:s3:::example", "s3", "arn:s3:::example:*"),
    ("arn:error:s3:::example", "error", "arn:error:s3:::example"),
    ("arn::s3:::example", "", "arn::s3:::example"),
    ("arn:AWS:s3:::example", "AWS", "arn:AWS:s3:::example"),
    ("https://example.com/", "//example.com/", "arn://example.com/:*:*:*:*"),
):
    _statement(f"resource: {_value}", f'Partition "{_partition}" is not valid for resource "{_arn}".', Resource=_value)
for _value in ("arn:aws", "arn:aws:*:*:*:*", "arn:aws:i*m::123456789012:user/Richard", "arn:aws:?am:::user/Richard"):
    _statement(f"resource: {_value}", QUALIFIED, Resource=_value)
for _value in ("arn:aws:s3::example", "arn:aws::::example", "arn:aws::example", "arn:aws:", "arn:aws:iam::*"):
    _statement(f"resource: {_value}", LEGACY, Resource=_value)
_statement("resource: parses not, and no action", LEGACY, Action=_ABSENT, Resource="arn:aws:s3::example")
for _value in (
    "arn:aws:iam:::example",
    "arn:aws:iam::123456789012:root",
    "arn:aws:iam::*:users/*",
    "arn:aws:iam::*:user",
    "arn:aws:iam::*:**",
):
    _statement(f"resource: {_value}", IAM_PATH, Resource=_value)
for _value in ("arn:aws:iam:us-east-1::user/Richard", "arn:aws:iam:*:123456789012:user/Richard", "arn:aws:iam:us-east-1"):
    _statement(f"resource: {_value}", f"IAM resource {_value} cannot contain region information.", Resource=_value)
_statement(
    "resource: a bucket with a region",
    "Resource arn:aws:s3:us-east-1::example can not contain region information.",
    Resource="arn:aws:s3:us-east-1::example",
)
for _value in (
    "arn:${aws:partition}:s3:::example",
    "arn:aws:iam::${aws:PrincipalAccount}:user/Richard",
    "arn:aws:sqs:${aws:RequestedRegion}:123456789012:queue",
    "${aws:username}",
    "arn:aws:s3:::${aws:username",
    "arn:aws:s3:::${}",
    "arn:aws:s3:::${ aws:username }",
    "arn:aws:s3:::${aws:username, default}",
    "arn:aws:s3:::${aws:username, 'default}",
    "arn:aws:s3:::${aws:username,  'two spaces'}",
    "arn:aws:s3:::${aws:${aws:username}}",
    "arn:aws:s3:::${**}",
    "arn:aws:s3:::${",
):
    _statement(f"variable: {_value}", Resource=_value)

# Condition.
for _value in ([], "a", 1, None, True, [{"Bool": {"aws:SecureTransport": "true"}}]):
    _condition(json.dumps(_value), _value)
for _value in ("b", [], 1, None, ["aws:SecureTransport"]):
    _condition(f"operator over {json.dumps(_value)}", {"Bool": _value})
for _operator in (
    "x",
    "",
    "Equals",
    "StringFoo",
    "stringEquals",
    "STRINGEQUALS",
    "StringEqual",
    "StringEquals ",
    "StringEqualsIfExist",
    "StringEqualsIfExistsIfExists",
    "IfExistsStringEquals",
    "IfExists",
    "NullIfExists",
    "ForAllValues:Null",
    "ForAnyValue:NullIfExists",
    "ForAnyValue::StringEquals",
    "ForAnyValueStringEquals",
    "ForSomeValues:StringEquals",
    "ForAllValues:ForAnyValue:StringEquals",
    "forallvalues:StringEquals",
    "ForAllValues:",
    "StringEquals:ForAllValues",
    "BoolEquals",
    "NotBool",
    "NumericLike",
    "DateLike",
    "IpAddressEquals",
    "NotIpAddresses",
    "ArnNotEqual",
    "BinaryNotEquals",
):
    _condition(f"operator {_operator!r}", {_operator: {"aws:username": "1"}})
for _value in ({}, None, [None], [{}], [["a"]], [], {"a": "b"}):
    _condition(f"value {json.dumps(_value)}", {"StringEquals": {"aws:username": _value}})
_condition("a key without a name", {"StringEquals": {"": "Richard"}})
_condition("an empty list beside a good value", {"StringEquals": {"aws:username": "Richard", "aws:userid": []}})
for _value in (
    "sdfdsf",
    "",
    "234-13",
    "2026-13-01",
    "2026-02-30",
    "yesterday",
    "12:00",
    "2026-11-24T25:00:00Z",
    "2026-11-24T12:00:00+1",
):
    _condition(f"date {_value!r}", {"DateLessThan": {"aws:CurrentTime": _value}}, LEGACY)
_condition("a date in a list", {"DateEqualsIfExists": {"aws:CurrentTime": ["2026-11-24", "x"]}}, LEGACY)
_condition("true for a date", {"ForAnyValue:DateEquals": {"aws:CurrentTime": True}}, LEGACY)
_refused(
    "condition: a bad date is told before a bad partition",
    document(STATEMENT | {"Resource": "arn:error:s3:::b", "Condition": {"DateEquals": {"aws:CurrentTime": "x"}}}),
    LEGACY,
)
for _value in ("abc", "", "1,5", "0x10", "1e", "٣", "1 000"):
    _condition(f"number {_value!r}", {"NumericLessThan": {"aws:MultiFactorAuthAge": _value}}, None)
for _value in ("10.0.0.0/33", "10.0.0", "300.1.1.1", "10.0.0.0/255.0.0.0", "fe80::1%eth0", "::/129", "", "localhost", "10.0.0.*"):
    _condition(f"address {_value!r}", {"IpAddress": {"aws:SourceIp": [_value]}}, None)
for _value in ("yes", "", "1", "truth", "*"):
    _condition(f"truth {_value!r}", {"Bool": {"aws:SecureTransport": _value}}, None)
    _condition(f"null {_value!r}", {"Null": {"aws:TokenIssueTime": _value}}, None)
for _value in ("%", "QQ", "Q Q=", "ä==="):
    _condition(f"bytes {_value!r}", {"BinaryEquals": {"key": _value}}, None)
for _value in ("${aws:username", "${}", "${aws:username, x}"):
    _condition(f"variable {_value}", {"StringLike": {"s3:prefix": f"home/{_value}"}}, None)
    _condition(f"variable in an ARN {_value}", {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::*:user/{_value}"}}, None)

MALFORMED += generated(140, seed=3)
