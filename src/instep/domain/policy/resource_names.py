"""What may stand in Resource and NotResource (IAM User Guide, "IAM JSON policy elements: Resource")."""

from __future__ import annotations

import re

from instep.api.errors import MalformedPolicyDocument
from instep.domain import arn as arns
from instep.domain.policy.refusals import malformed

_PARTITION = re.compile(r"aws(-[a-z]+)*")
_WILDCARD = re.compile(r"[*?]")
_MISSING = ("", "", "", "*")
_IAM_PATHS = (
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
)


def problem(resource: str, *, variables: bool) -> MalformedPolicyDocument | None:
    """What AWS says to `resource`, or None when it takes it.

    Segments missing at the end stand for asterisks.  `variables`: whether they work in this document; they may replace nothing
    before the fifth colon.
    """
    if resource == "*":
        return None
    arn, *rest = segments = arns.segments(resource)
    if not rest:
        return _no_arn(resource)
    if variables and any("${" in segment for segment in segments[: arns.SEGMENTS - 1]):
        return malformed("Resource {} has a policy variable before its fifth colon.", resource)
    if not (_PARTITION.fullmatch(rest[0]) or _WILDCARD.search(rest[0])):
        filled = rest[1:] + ["*"] * (arns.SEGMENTS - len(segments))
        return malformed('Partition "{}" is not valid for resource "arn:{}:{}".', rest[0], rest[0], ":".join(filled))
    if arn != "arn":
        return _no_arn(resource)
    if len(rest) == 1 or _WILDCARD.search(rest[1]):
        return malformed("Resource vendor must be fully qualified and cannot contain regexes.")
    service, region, account, name = [*rest[1:], *_MISSING[len(rest) - 1 :]]
    return _service_problem(resource, service, region=region, account=account, name=name)


def fails_legacy_parsing(resource: str) -> bool:
    """Whether `resource`, with which there is no other problem, cannot be filled up to an ARN for want of a clear meaning."""
    segments = arns.segments(resource)
    return resource != "*" and (segments[2] == "" or (len(segments) < arns.SEGMENTS and "::" in resource))


def _no_arn(resource: str) -> MalformedPolicyDocument:
    return malformed('Resource {} must be in ARN format or "*".', resource)


def _service_problem(resource: str, service: str, *, region: str, account: str, name: str) -> MalformedPolicyDocument | None:
    match service:
        case "iam" if region:
            return malformed("IAM resource {} cannot contain region information.", resource)
        case "iam" if name != "*" and not name.startswith(_IAM_PATHS):
            return malformed(f'IAM resource path must either be "*" or start with {", ".join(_IAM_PATHS)}.')
        # Buckets and objects have neither region nor account; access points have both.
        case "s3" if region and not account:
            return malformed("Resource {} can not contain region information.", resource)
        case _:
            return None
