"""Session tags: what a session is known by, and what of it goes on to the roles that are assumed with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from instep.api.common import InvalidParameterValue, ValidationError
from instep.api.sts import Tag
from instep.domain.identity import SessionScope
from instep.domain.tag_key import tag_key

_MOST_TAGS = 50


@dataclass(frozen=True, slots=True)
class SessionTags:
    """As SessionScope keeps them: all that the session has, and the keys of those that go on."""

    tags: Mapping[str, str]
    transitive: tuple[str, ...]


def session_tags(given: Iterable[Tag] | None, transitive: Iterable[str] | None, *, caller: SessionScope | None) -> SessionTags:
    """Those of a request, with the transitive ones of the calling session, if it is one.  Keys are the same whatever their case.

    Raises InvalidParameterValue for keys given twice, for a transitive key without its tag, and for a key that the calling
    session passes on; ValidationError for more than 50 tags together.
    """
    given, transitive = tuple(given or ()), tuple(transitive or ())
    keys = {tag_key(tag.key) for tag in given}
    if len(keys) != len(given):
        raise InvalidParameterValue("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.startswith("aws:") for key in keys):
        raise InvalidParameterValue("aws: prefixed tag key names are not allowed for external use.")
    inherited = _inherited(caller)
    if keys & {tag_key(key) for key in inherited}:
        raise InvalidParameterValue(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the"
            " calling session."
        )
    if not {tag_key(key) for key in transitive} <= keys:
        raise InvalidParameterValue("The specified transitive tag key must be included in the requested tags.")
    if len(inherited) + len(given) > _MOST_TAGS:
        raise ValidationError(
            "1 validation error detected: Value at 'tags' failed to satisfy constraint:"
            f" Member must have length less than or equal to {_MOST_TAGS}"
        )
    return SessionTags({**inherited, **{tag.key: tag.value for tag in given}}, (*inherited, *transitive))


def _inherited(caller: SessionScope | None) -> dict[str, str]:
    if caller is None:
        return {}
    passed_on = {tag_key(key) for key in caller.transitive_tags}
    return {key: value for key, value in caller.tags.items() if tag_key(key) in passed_on}
