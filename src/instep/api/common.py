"""The family of AWS errors, and those that every AWS service shares (by hand; the rest is generated in `errors.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class AWSError(Exception):
    """A refusal in AWS's words.  `code`, `status` and `fault` come from the service model; the raise brings the sentence.

    `reason` is a word of ours for the audit trail and for callers who may know it (never for strangers); `headers` are what the
    answer carries besides the error document; `caller` is the ARN of the known principal who was refused, for the log.
    `loggable` is the sentence as it may be written down: where AWS repeats to callers what they sent, logs and audit events leave
    it out, and so does `str()`.  An empty `message`: no Message element.
    """

    code: ClassVar[str]
    status: ClassVar[int] = 400
    fault: ClassVar[str] = "Sender"

    def __init__(self, message: str = "", *, reason: str | None = None, loggable: str | None = None) -> None:
        self.loggable = message if loggable is None else loggable
        super().__init__(self.loggable)
        self.message = message
        self.reason = reason
        self.headers: Mapping[str, str] = {}
        self.caller: str | None = None


class AccessDenied(AWSError):
    code = "AccessDenied"
    status = 403


class ExpiredToken(AWSError):
    code = "ExpiredToken"
    status = 403


class IncompleteSignature(AWSError):
    code = "IncompleteSignature"


class InvalidAction(AWSError):
    code = "InvalidAction"


class InvalidClientTokenId(AWSError):
    code = "InvalidClientTokenId"
    status = 403


class InvalidParameterValue(AWSError):
    code = "InvalidParameterValue"


class MalformedInput(AWSError):
    code = "MalformedInput"


class MalformedQueryString(AWSError):
    code = "MalformedQueryString"


class MissingAuthenticationToken(AWSError):
    code = "MissingAuthenticationToken"
    status = 403


class RequestEntityTooLarge(AWSError):
    """Answered with an empty body, as AWS does."""

    code = "RequestEntityTooLarge"
    status = 413


class RequestExpired(AWSError):
    code = "RequestExpired"


class SignatureDoesNotMatch(AWSError):
    code = "SignatureDoesNotMatch"
    status = 403


class Throttling(AWSError):
    code = "Throttling"


class ValidationError(AWSError):
    code = "ValidationError"
