"""Tags of users, roles, policies and devices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from instep.api.errors import InvalidInput, LimitExceeded
from instep.api.iam import Tag
from instep.domain.tag_key import tag_key
from instep.services.authorize import authorize
from instep.services.operation import Call, Resource

MOST_TAGS = 50

_TWICE = "Duplicate tag keys found."
_TWICE_IGNORING_CASE = f"{_TWICE} Please note that Tag keys are case insensitive."


def tagged_as(action: str, on: Callable[[Call, Any], Resource]) -> Callable[[Call, Any], None]:
    """The check of an operation that makes something: tags that come with it take the permission `action` on it as well.

    (Service Authorization Reference, IAM: CreateUser, CreateRole, CreatePolicy, CreateVirtualMFADevice.)
    """

    def check(call: Call, request: Any) -> None:
        if request.tags:
            authorize(call, action, on(call, request), request)

    return check


def user_tags(given: Iterable[Tag], kept: Mapping[str, str] | None = None) -> dict[str, str]:
    """`kept` with `given` added or overwritten.  Keys are the same whatever their case, as policies cannot tell them apart.

    Raises InvalidInput for keys given twice, LimitExceeded over 50.
    """
    return _together(given, kept, "TagsPerUser", _TWICE_IGNORING_CASE)


def role_tags(given: Iterable[Tag], kept: Mapping[str, str] | None = None) -> dict[str, str]:
    """The same for roles."""
    return _together(given, kept, "TagsPerRole", _TWICE_IGNORING_CASE)


def device_tags(given: Iterable[Tag], kept: Mapping[str, str] | None = None) -> dict[str, str]:
    """The same for MFA devices."""
    return _together(given, kept, "TagsPerMFADevice", _TWICE)


def policy_tags(given: Iterable[Tag], kept: Mapping[str, str] | None = None) -> dict[str, str]:
    """The same for managed policies."""
    return _together(given, kept, "TagsPerPolicy", _TWICE)


def untagged(kept: Mapping[str, str], tag_keys: Iterable[str]) -> dict[str, str]:
    """`kept` without those keys, whatever their case."""
    gone = {tag_key(key) for key in tag_keys}
    return {key: value for key, value in kept.items() if tag_key(key) not in gone}


def _together(given: Iterable[Tag], kept: Mapping[str, str] | None, quota: str, twice: str) -> dict[str, str]:
    given = tuple(given)
    keys = {tag_key(tag.key) for tag in given}
    if len(keys) != len(given):
        raise InvalidInput(twice)
    if any(key.startswith("aws:") for key in keys):
        raise InvalidInput("aws: prefixed tag key names are not allowed for external use.")
    tags = {**untagged(kept or {}, keys), **{tag.key: tag.value for tag in given}}
    if len(tags) > MOST_TAGS:
        raise LimitExceeded(f"Cannot exceed quota for {quota}: {MOST_TAGS}")
    return tags


def as_tags(tags: Mapping[str, str]) -> tuple[Tag, ...] | None:
    """As the wire lists them; None when there are none, since AWS then leaves the element out."""
    return tuple(Tag(key=key, value=value) for key, value in sorted(tags.items())) or None
