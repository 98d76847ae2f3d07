"""The model of our own operations, in the same form as the generated ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from instep.api.errors import EntityAlreadyExists, InvalidInput, LimitExceeded, MalformedPolicyDocument, NoSuchEntity
from instep.api.iam import (
    AccountAliasType,
    ActionNameType,
    ContextEntryListType,
    PolicyDocumentType,
    ResourceNameType,
)
from instep.api.shape import Limits, OperationModel, ServiceModel, wire

AccountId = Annotated[str, Limits(min=12, max=12, pattern=r"\d{12}")]
EmailAddress = Annotated[str, Limits(min=3, max=254, pattern=r"[^@ ]+@[^@ ]+")]
PrincipalNameType = Annotated[str, Limits(min=1, max=2048)]
MFAAgeType = Annotated[int, Limits(min=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAccountRequest:
    """Input of CreateAccount."""

    account_id: AccountId = field(metadata=wire("AccountId"))
    account_alias: AccountAliasType | None = field(default=None, metadata=wire("AccountAlias"))
    root_email: EmailAddress = field(metadata=wire("RootEmail"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAccountResponse:
    """Output of CreateAccount: the only time that the root user's password and the administrator's key are shown."""

    account_id: AccountId = field(metadata=wire("AccountId"))
    password: str = field(metadata=wire("RootPassword"), repr=False)
    user_name: str = field(metadata=wire("UserName"))
    access_key_id: str = field(metadata=wire("AccessKeyId"))
    secret_access_key: str = field(metadata=wire("SecretAccessKey"), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTokensRequest:
    """Input of ImportTokens: the text of a token file."""

    csv: str = field(metadata=wire("Csv"), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTokensResponse:
    """Output of ImportTokens: the serial numbers now in the account's inventory."""

    serial_numbers: tuple[str, ...] = field(metadata=wire("SerialNumbers"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRootAccessKeyResponse:
    """Output of CreateRootAccessKey: the only time that the secret is shown."""

    access_key_id: str = field(metadata=wire("AccessKeyId"))
    secret_access_key: str = field(metadata=wire("SecretAccessKey"), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RootAccessKey:
    access_key_id: str = field(metadata=wire("AccessKeyId"))
    status: str = field(metadata=wire("Status"))
    create_date: datetime = field(metadata=wire("CreateDate"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRootAccessKeysResponse:
    """Output of ListRootAccessKeys."""

    access_keys: tuple[RootAccessKey, ...] = field(metadata=wire("AccessKeys"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRootAccessKeyRequest:
    """Input of DeleteRootAccessKey."""

    access_key_id: str = field(metadata=wire("AccessKeyId"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PutGuardPolicyRequest:
    """Input of PutGuardPolicy."""

    policy_document: PolicyDocumentType = field(metadata=wire("PolicyDocument"))


@dataclass(frozen=True, slots=True, kw_only=True)
class GetGuardPolicyResponse:
    """Output of GetGuardPolicy: no document when nothing is limited."""

    policy_document: str | None = field(default=None, metadata=wire("PolicyDocument"))


class CredentialsType(StrEnum):
    """What a user asks with.  A role asks with the credentials of its session, the root user with an access key."""

    ACCESS_KEY = "AccessKey"
    SESSION_TOKEN = "SessionToken"  # noqa: S105
    SESSION_TOKEN_WITH_MFA = "SessionTokenWithMFA"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainAccessRequest:
    """Input of ExplainAccess.

    `principal` is a user's name, `role/NAME`, `root`, or the ARN of a user, a role, a role's session or the root user;
    `mfa_age` is in seconds.  Without `resource`: what the action is on when its request names nothing.
    """

    principal: PrincipalNameType = field(metadata=wire("Principal"))
    action: ActionNameType = field(metadata=wire("Action"))
    resource: ResourceNameType | None = field(default=None, metadata=wire("Resource"))
    credentials: CredentialsType | None = field(default=None, metadata=wire("Credentials"))
    mfa_age: MFAAgeType | None = field(default=None, metadata=wire("MFAAge"))
    context_entries: ContextEntryListType | None = field(default=None, metadata=wire("ContextEntries"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedStatement:
    """`number` counts within the policy, from 1.  `reasons`: why it does not apply, or what its conditions found when it does."""

    layer: str = field(metadata=wire("Layer"))
    policy_name: str = field(metadata=wire("PolicyName"))
    policy_type: str = field(metadata=wire("PolicyType"))
    policy_owner: str | None = field(default=None, metadata=wire("PolicyOwner"))
    number: int = field(metadata=wire("Number"))
    sid: str | None = field(default=None, metadata=wire("Sid"))
    effect: str = field(metadata=wire("Effect"))
    applies: bool = field(metadata=wire("Applies"))
    decides: bool = field(metadata=wire("Decides"))
    reasons: tuple[str, ...] = field(metadata=wire("Reasons"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainAccessResponse:
    """Output of ExplainAccess.

    `credentials`: None of a role and the root user.  `layer`: the first that refused, None when allowed.  `sentence`: what AWS
    answers, None when allowed.  `layers`: those there are, whether or not there is any statement in them.  `notes`: what matters
    besides policies.
    """

    principal_arn: str = field(metadata=wire("PrincipalArn"))
    action: str = field(metadata=wire("Action"))
    resource: str = field(metadata=wire("Resource"))
    credentials: str | None = field(default=None, metadata=wire("Credentials"))
    outcome: str = field(metadata=wire("Outcome"))
    layer: str | None = field(default=None, metadata=wire("Layer"))
    sentence: str | None = field(default=None, metadata=wire("Sentence"))
    layers: tuple[str, ...] = field(metadata=wire("Layers"))
    statements: tuple[ExplainedStatement, ...] = field(metadata=wire("Statements"))
    missing_context_keys: tuple[str, ...] = field(metadata=wire("MissingContextKeys"))
    notes: tuple[str, ...] = field(metadata=wire("Notes"))


_OPERATIONS = (
    OperationModel(name="CreateAccount", input=CreateAccountRequest, output=CreateAccountResponse, errors=(EntityAlreadyExists,)),
    OperationModel(name="ImportTokens", input=ImportTokensRequest, output=ImportTokensResponse, errors=(InvalidInput,)),
    OperationModel(name="CreateRootAccessKey", input=None, output=CreateRootAccessKeyResponse, errors=(LimitExceeded,)),
    OperationModel(name="ListRootAccessKeys", input=None, output=ListRootAccessKeysResponse, errors=()),
    OperationModel(name="DeleteRootAccessKey", input=DeleteRootAccessKeyRequest, output=None, errors=(NoSuchEntity,)),
    OperationModel(
        name="PutGuardPolicy", input=PutGuardPolicyRequest, output=None, errors=(LimitExceeded, MalformedPolicyDocument)
    ),
    OperationModel(name="GetGuardPolicy", input=None, output=GetGuardPolicyResponse, errors=()),
    OperationModel(name="DeleteGuardPolicy", input=None, output=None, errors=()),
    OperationModel(
        name="ExplainAccess", input=ExplainAccessRequest, output=ExplainAccessResponse, errors=(InvalidInput, NoSuchEntity)
    ),
)

INSTEP = ServiceModel(
    name="instep",
    version="2026-11-24",
    namespace="",
    operations=MappingProxyType({model.name: model for model in _OPERATIONS}),
)
