"""What random requests are made of: rubbish of every kind, and for each parameter some values that fit."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.fault.signed import FORM
from tests.vectors.policies.malformed import MALFORMED
from tests.vectors.policies.malformed_trust import MALFORMED_TRUST

NASTY: tuple[bytes, ...] = (
    b"",
    b" ",
    b"\x00",
    b"a\x00b",
    b"\r\nX-Injected: yes",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\x1b[31m",
    b"-1",
    b"0",
    b"1e309",
    b"NaN",
    b"9" * 40,
    b"9" * 5000,
    b"null",
    b"None",
    b"true",
    b"{}",
    b"[]",
    b"%",
    b"%s%n",
    b"{0}",
    b"{0.__class__}",
    b"' OR 1=1 --",
    b"%_",
    b"../../etc/passwd",
    b"<a>&amp;]]>",
    b"<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>",
    "リチャード".encode(),
    "１２３４５６".encode(),
    "\u202eabc\u0000\ufeff\ufffe".encode(),
    "ﬀİıßK".encode(),
    "e\u0301".encode() * 200,
    "😀".encode(),
    b"a" * 128,
    b"a" * 129,
    b"/" + b"a" * 511,
    b"x" * 70_000,
    b"2026-11-24T12:00:00Z",
    b"0000-00-00T99:99:99Z",
    b"9999-12-31T23:59:59+99:99",
    b"AAAA====",
    b"arn:aws:iam::123456789012:mfa/",
    b"arn:aws:iam::210987654321:user/Richard",
)
METHODS = (
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "get",
    "A" * 300,
    "M-SEARCH",
)
PATHS = (
    "/",
    "//",
    "",
    "*",
    "/iam",
    "/../",
    "/%00",
    "/%ff%fe",
    "/a" * 1000,
    "/\xc3\xa9",
    "/?",
    "/;a=b",
    "http://localhost/",
    "/{x}",
)
CONTENT_TYPES = (
    FORM,
    "application/x-www-form-urlencoded",
    "APPLICATION/X-WWW-FORM-URLENCODED;charset=shift_jis",
    "application/json",
    "application/x-amz-json-1.1",
    "multipart/form-data; boundary=x",
    "text/plain",
    "",
    ";;;",
    "\xff\xfe",
    "application/x-www-form-urlencoded; charset=" + "x" * 5000,
)
HEADER_NAMES = (
    "authorization",
    "x-amz-date",
    "date",
    "x-amz-security-token",
    "x-amz-content-sha256",
    "x-amz-target",
    "x-forwarded-for",
    "host",
    "expect",
    "cookie",
    "accept",
    "content-encoding",
    "range",
    "if-none-match",
    "user-agent",
    "x",
)
SCOPES = (
    "AWS4-HMAC-SHA256 Credential=",
    "AWS4-HMAC-SHA256 Credential=AKIA/20261124/us-east-1/iam/aws4_request",
    "AWS4-HMAC-SHA256 Credential=////, SignedHeaders=;;;, Signature=",
    "AWS4-HMAC-SHA256",
    "AWS4-HMAC-SHA512 x",
    "Basic YTpi",
    "Bearer x",
    "AWS AKIA:x=",
    "",
)

_ROLE = b"arn:aws:iam::123456789012:role/"
_POLICY = b"arn:aws:iam::123456789012:policy/"
_ADMINISTRATOR = b"arn:aws:iam::aws:policy/AdministratorAccess"
_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
_TAGGED = {"ForAllValues:StringLike": {"aws:TagKeys": ["a*", "${x, 'y'}"]}, "NumericLessThan": {"aws:EpochTime": "1"}}


def _document(**elements: object) -> bytes:
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **elements}}).encode()


_DOCUMENTS = (
    _document(Action="*", Resource="*"),
    _document(Effect="Deny", NotAction=["iam:Get*"], Resource="arn:aws:iam::*:user/${aws:username}", Condition=_MFA),
    _document(Sid="S", Action="s3:*", NotResource="arn:aws:s3:::bucket/*", Condition=_TAGGED),
)
_TRUST = (
    _document(Principal={"AWS": "123456789012"}, Action="sts:AssumeRole"),
    _document(Principal={"AWS": ["arn:aws:iam::123456789012:user/Phone0", "*"]}, Action="sts:*", Condition=_MFA),
)
_PASSWORD = b"Correct-horse-1!"
MALFORMED_POLICIES = tuple(text.encode(errors="surrogatepass") for _, text in (*MALFORMED, *MALFORMED_TRUST))
KNOWN: Mapping[str, tuple[bytes, ...]] = {
    "UserName": (b"Phone0", b"Richard", b"Nikki"),
    "NewUserName": (b"Richard", b"Renamed"),
    "SerialNumber": (b"arn:aws:iam::123456789012:mfa/RichardsMFA", b"GAHT12345678"),
    "AccessKeyId": (b"AKIAIOSFODNN7EXAMPLE",),
    "Marker": (b"AAAA",),
    "Path": (b"/", b"/a/", b"/division_abc/subdivision_xyz/"),
    "NewPath": (b"/", b"/b/"),
    "PathPrefix": (b"/", b"/a"),
    "MaxItems": (b"1", b"7", b"1000"),
    "VirtualMFADeviceName": (b"Phone", b"Tablet"),
    "AccountAlias": (b"example", b"another-alias"),
    "DurationSeconds": (b"900", b"3600", b"129600"),
    "MaxSessionDuration": (b"3600", b"43200"),
    "Key": (b"Dept", b"CostCenter"),
    "Value": (b"", b"12345"),
    "TagKeys": (b"Dept", b"costcenter"),
    "TransitiveTagKeys": (b"Dept",),
    "GroupName": (b"Staff", b"staff", b"Guests"),
    "NewGroupName": (b"Staff", b"Guests"),
    "RoleName": (b"Reader", b"Writer"),
    "RoleArn": (_ROLE + b"Fuzz", _ROLE + b"Reader", _ROLE + b"a/Writer", _ROLE),
    "RoleSessionName": (b"Session1", b"Session2"),
    "SourceIdentity": (b"Richard",),
    "ExternalId": (b"12345",),
    "Name": (b"Bob",),
    "PolicyName": (b"Own", b"own", b"Other"),
    "PolicyArn": (_POLICY + b"Own", _POLICY + b"Other", _ADMINISTRATOR),
    "PolicyArns": (_POLICY + b"Own", _ADMINISTRATOR),
    "arn": (_ADMINISTRATOR, _POLICY + b"Own"),
    "PermissionsBoundary": (_ADMINISTRATOR, _POLICY + b"Own"),
    "VersionId": (b"v1", b"v2", b"v3"),
    "Policy": _DOCUMENTS,
    "PolicyDocument": (*_DOCUMENTS[:2], _TRUST[0], *_DOCUMENTS, *_TRUST),
    "PolicyInputList": _DOCUMENTS,
    "PermissionsBoundaryPolicyInputList": _DOCUMENTS,
    "AssumeRolePolicyDocument": _TRUST,
    "Password": (_PASSWORD,),
    "OldPassword": (_PASSWORD,),
    "NewPassword": (_PASSWORD, b"Another-horse-2!"),
    "MinimumPasswordLength": (b"6", b"8", b"128"),
    "MaxPasswordAge": (b"1", b"90"),
    "PasswordReusePrevention": (b"1", b"24"),
    "ActionNames": (b"iam:ListUsers", b"sts:AssumeRole", b"s3:GetObject", b"iam:*"),
    "ResourceArns": (b"*", b"arn:aws:iam::123456789012:user/Phone0", _ROLE + b"Reader"),
    "PolicySourceArn": (b"arn:aws:iam::123456789012:user/Phone0", _ROLE + b"Reader", b"arn:aws:iam::123456789012:group/Staff"),
    "CallerArn": (b"arn:aws:iam::123456789012:user/Phone0",),
    "ResourceOwner": (b"123456789012",),
    "ContextKeyName": (b"aws:MultiFactorAuthPresent", b"aws:username"),
    "ContextKeyValues": (b"true", b"Phone0"),
}
"""By member, those first that fit best, and fit one another."""
