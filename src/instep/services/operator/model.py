"""The model of our own operations, in the same form as the generated ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated

from instep.api.errors import EntityAlreadyExists, InvalidInput
from instep.api.iam import AccountAliasType
from instep.api.shape import Limits, OperationModel, ServiceModel, wire

AccountId = Annotated[str, Limits(min=12, max=12, pattern=r"\d{12}")]
EmailAddress = Annotated[str, Limits(min=3, max=254, pattern=r"[^@ ]+@[^@ ]+")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAccountRequest:
    """Input of CreateAccount."""

    account_id: AccountId = field(metadata=wire("AccountId"))
    account_alias: AccountAliasType | None = field(default=None, metadata=wire("AccountAlias"))
    root_email: EmailAddress = field(metadata=wire("RootEmail"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAccountResponse:
    """Output of CreateAccount: the only time that the root user's secrets are shown."""

    account_id: AccountId = field(metadata=wire("AccountId"))
    password: str = field(metadata=wire("RootPassword"), repr=False)
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


_OPERATIONS = (
    OperationModel(name="CreateAccount", input=CreateAccountRequest, output=CreateAccountResponse, errors=(EntityAlreadyExists,)),
    OperationModel(name="ImportTokens", input=ImportTokensRequest, output=ImportTokensResponse, errors=(InvalidInput,)),
)

INSTEP = ServiceModel(
    name="instep",
    version="2026-11-24",
    namespace="",
    operations=MappingProxyType({model.name: model for model in _OPERATIONS}),
)
