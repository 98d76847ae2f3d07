"""The model of what follows the right password, in the same form as the generated ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from instep.api.errors import (
    EntityAlreadyExists,
    EntityTemporarilyUnmodifiable,
    InvalidAuthenticationCode,
    LimitExceeded,
    NoSuchEntity,
    PasswordPolicyViolation,
)
from instep.api.iam import AuthenticationCodeType, ExistingUserNameType, PasswordType, SerialNumberType
from instep.api.shape import Limits, OperationModel, ServiceModel, wire
from instep.domain.sign_in import Next

Code = Annotated[str, Limits(min=6, max=6, pattern=r"[0-9]{6}", sensitive=True)]
# JSON, as `toJSON` of the browser's PublicKeyCredential writes it.
KeyAnswer = Annotated[str, Limits(min=2, max=40_000, sensitive=True)]
KeyName = Annotated[str, Limits(min=1, max=128, pattern=r"[A-Za-z0-9_+=,.@-]+")]


class FactorKind(StrEnum):
    """How a device proves itself: the first two by codes."""

    VIRTUAL = "virtual"
    HARDWARE = "hardware"
    SECURITY_KEY = "security-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """An MFA device that the person may choose."""

    serial_number: str = field(metadata=wire("SerialNumber"))
    kind: FactorKind = field(metadata=wire("Kind"))


@dataclass(frozen=True, slots=True, kw_only=True)
class GetSignInResponse:
    """Output of GetSignIn: what the MFA and troubleshooting pages show.

    `user_name`: None for the root user.  `factors`: the one used last first.  `prompts_resync`: so many codes were wrong that the
    page leads to resynchronizing; `may_resync`: no explicit Deny stands against it.
    """

    account_id: str = field(metadata=wire("AccountId"))
    account_alias: str | None = field(default=None, metadata=wire("AccountAlias"))
    user_name: str | None = field(default=None, metadata=wire("UserName"))
    next: Next = field(metadata=wire("Next"))
    factors: tuple[Factor, ...] = field(metadata=wire("Factors"))
    wrong_codes: int = field(metadata=wire("WrongCodes"))
    prompts_resync: bool = field(metadata=wire("PromptsResync"))
    may_resync: bool = field(metadata=wire("MayResync"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitMFACodeRequest:
    """Input of SubmitMFACode: the code of this one device."""

    serial_number: SerialNumberType = field(metadata=wire("SerialNumber"))
    token_code: Code = field(metadata=wire("TokenCode"), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """Output of what brings a sign-in further: the new id for the cookie (the old one is dead), and the page to show.

    `paired`: the code and the one refused before it followed each other, and the device is in step again.
    """

    session_id: str = field(metadata=wire("SessionId"), repr=False)
    next: Next = field(metadata=wire("Next"))
    paired: bool = field(default=False, metadata=wire("Paired"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityKeyOptions:
    """Output of StartSecurityKey and StartSecurityKeyRegistration: the options for the browser, in JSON, with the challenge."""

    options: str = field(metadata=wire("Options"), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitSecurityKeyRequest:
    """Input of SubmitSecurityKey: the answer of one of the caller's keys."""

    answer: KeyAnswer = field(metadata=wire("Answer"), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSecurityKeyRegistrationRequest:
    """Input of StartSecurityKeyRegistration.  `user_name`: None for the caller's own."""

    user_name: ExistingUserNameType | None = field(default=None, metadata=wire("UserName"))
    name: KeyName = field(metadata=wire("Name"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSecurityKeyRequest:
    """Input of RegisterSecurityKey: the answer of the new key, and what to call it."""

    user_name: ExistingUserNameType | None = field(default=None, metadata=wire("UserName"))
    name: KeyName = field(metadata=wire("Name"))
    answer: KeyAnswer = field(metadata=wire("Answer"), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSecurityKeyResponse:
    """Output of RegisterSecurityKey: the key is its holder's from now on."""

    serial_number: SerialNumberType = field(metadata=wire("SerialNumber"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResyncBeforeSignInRequest:
    """Input of ResyncMFADevice, for the device's own holder whose password was right."""

    serial_number: SerialNumberType = field(metadata=wire("SerialNumber"))
    authentication_code1: AuthenticationCodeType = field(metadata=wire("AuthenticationCode1"), repr=False)
    authentication_code2: AuthenticationCodeType = field(metadata=wire("AuthenticationCode2"), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResyncBeforeSignInResponse:
    """Output of ResyncMFADevice: signing in takes the next code."""

    next: Next = field(metadata=wire("Next"))
    drift_seconds: int = field(metadata=wire("DriftSeconds"))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePasswordRequest:
    """Input of UpdatePassword, where the one that was entered has to be changed."""

    new_password: PasswordType = field(metadata=wire("NewPassword"), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOutRequest:
    """Input of SignOut: this session, or every one of the same user."""

    everywhere: bool | None = field(default=None, metadata=wire("Everywhere"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOutResponse:
    """Output of SignOut: how many sessions ended."""

    ended: int = field(metadata=wire("Ended"))


_OPERATIONS = (
    OperationModel(name="GetSignIn", input=None, output=GetSignInResponse, errors=()),
    OperationModel(
        name="SubmitMFACode", input=SubmitMFACodeRequest, output=Stepped, errors=(InvalidAuthenticationCode, NoSuchEntity)
    ),
    OperationModel(name="StartSecurityKey", input=None, output=SecurityKeyOptions, errors=(NoSuchEntity,)),
    OperationModel(name="SubmitSecurityKey", input=SubmitSecurityKeyRequest, output=Stepped, errors=()),
    OperationModel(
        name="StartSecurityKeyRegistration",
        input=StartSecurityKeyRegistrationRequest,
        output=SecurityKeyOptions,
        errors=(LimitExceeded, NoSuchEntity),
    ),
    OperationModel(
        name="RegisterSecurityKey",
        input=RegisterSecurityKeyRequest,
        output=RegisterSecurityKeyResponse,
        errors=(EntityAlreadyExists, LimitExceeded, NoSuchEntity),
    ),
    OperationModel(
        name="ResyncMFADevice",
        input=ResyncBeforeSignInRequest,
        output=ResyncBeforeSignInResponse,
        errors=(InvalidAuthenticationCode, NoSuchEntity),
    ),
    OperationModel(
        name="UpdatePassword",
        input=UpdatePasswordRequest,
        output=Stepped,
        errors=(EntityTemporarilyUnmodifiable, NoSuchEntity, PasswordPolicyViolation),
    ),
    OperationModel(name="SignOut", input=SignOutRequest, output=SignOutResponse, errors=()),
)

SIGNIN = ServiceModel(
    name="signin",
    version="2026-11-24",
    namespace="",
    operations=MappingProxyType({model.name: model for model in _OPERATIONS}),
)
