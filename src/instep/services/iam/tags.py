"""Tags of users and devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from instep.api.errors import InvalidInput, LimitExceeded
from instep.api.iam import Tag

MOST_TAGS = 50


def user_tags(given: Iterable[Tag], kept: Mapping[str, str] | None = None) -> dict[str, str]:
    """`kept` with `given` added or overwritten; a user's tag keys are the same whatever their case.

    Raises InvalidInput for keys given twice, LimitExceeded over 50.
    """
    given = tuple(given)
    folded = [tag.key.casefold() for tag in given]
    if len(set(folded)) != len(folded):
        raise InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    rest = {key: value for key, value in (kept or {}).items() if key.casefold() not in set(folded)}
    return _bounded(given, rest, "TagsPerUser")


def device_tags(given: Iterable[Tag], kept: Mapping[str, str] | None = None) -> dict[str, str]:
    """The same for MFA devices, whose keys differ by case."""
    given = tuple(given)
    if len({tag.key for tag in given}) != len(given):
        raise InvalidInput("Duplicate tag keys found.")
    return _bounded(given, dict(kept or {}), "TagsPerMFADevice")


def _bounded(given: tuple[Tag, ...], rest: dict[str, str], quota: str) -> dict[str, str]:
    if any(tag.key.casefold().startswith("aws:") for tag in given):
        raise InvalidInput("aws: prefixed tag key names are not allowed for external use.")
    tags = {**rest, **{tag.key: tag.value for tag in given}}
    if len(tags) > MOST_TAGS:
        raise LimitExceeded(f"Cannot exceed quota for {quota}: {MOST_TAGS}")
    return tags


def as_tags(tags: Mapping[str, str]) -> tuple[Tag, ...] | None:
    """As the wire lists them; None when there are none, since AWS then leaves the element out."""
    return tuple(Tag(key=key, value=value) for key, value in sorted(tags.items())) or None
