"""Policies and requests, put together briefly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from instep.domain.policy.condition import Condition
from instep.domain.policy.document import Document
from instep.domain.policy.evaluation import AccessRequest, Policy
from instep.domain.policy.reading import DocumentKind, read
from instep.domain.policy.variables import Context

ACCOUNT = "123456789012"
RICHARD = f"arn:aws:iam::{ACCOUNT}:user/Richard"
NO_MFA_KEYS: Context = {}
WITHOUT_MFA: Context = {"aws:multifactorauthpresent": ("false",)}

PUBLISHED = Path(__file__).parents[3] / "vectors" / "policies"


class Counting(dict[str, tuple[str, ...]]):
    """A context that counts how often it is asked for a value."""

    asked = 0

    def get(self, key: str, default: Any = None) -> Any:
        self.asked += 1
        return super().get(key, default)


def document(*statements: dict[str, Any], version: str = "2012-10-17", kind: DocumentKind = DocumentKind.IDENTITY) -> Document:
    return read(json.dumps({"Version": version, "Statement": list(statements)}), kind)


def policy(*statements: dict[str, Any], name: str = "test", version: str = "2012-10-17") -> Policy:
    return Policy(document(*statements, version=version), name)


def trust(*statements: dict[str, Any]) -> Policy:
    return Policy(document(*statements, kind=DocumentKind.TRUST), "trust")


def allow(action: str | list[str] = "*", resource: str | list[str] = "*", **condition: dict[str, Any]) -> dict[str, Any]:
    return _statement("Allow", action, resource, condition)


def deny(action: str | list[str] = "*", resource: str | list[str] = "*", **condition: dict[str, Any]) -> dict[str, Any]:
    return _statement("Deny", action, resource, condition)


def published(name: str) -> Policy:
    return Policy(read((PUBLISHED / f"{name}.json").read_text("utf-8"), DocumentKind.IDENTITY), name)


def request(action: str, resource: str = "*", context: Context | None = None, *, user: str = "Richard") -> AccessRequest:
    return AccessRequest(action, resource, {"aws:username": (user,), **(context or {})})


def with_mfa(age: int = 60) -> Context:
    """`age`: seconds since the code was checked."""
    return {"aws:multifactorauthpresent": ("true",), "aws:multifactorauthage": (str(age),)}


def condition(operator: str, *wanted: str, key: str = "aws:Key", variables: bool = True) -> Condition:
    return Condition.of(operator, key, wanted, variables=variables)


def holds(operator: str, wanted: str | tuple[str, ...], given: str | tuple[str, ...], context: Context | None = None) -> bool:
    """Whether a condition on `aws:Key` holds for a request that has `given` there."""
    values = (wanted,) if isinstance(wanted, str) else wanted
    present = (given,) if isinstance(given, str) else given
    return condition(operator, *values).holds({"aws:key": present, **(context or {})})


def _statement(effect: str, action: str | list[str], resource: str | list[str], condition: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": effect, "Action": action, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement
