"""Texts with variables, put for people who wonder why something does not match."""

from __future__ import annotations

from instep.domain.policy.variables import Context, Template

_LONGEST = 2048
"""Characters, as of the longest ARN.  A longer text is not shown."""


def with_values(template: Template, context: Context) -> str:
    """As written, and what this request's values make of it: `user/${aws:username} (= user/Richard)`."""
    if template.constant:
        return template.text
    lacking = [variable.key for variable in template.variables if variable.resolve(context) is None]
    if lacking:
        return f"{template.text} (no single value for {', '.join(lacking)})"
    resolved = template.resolve(context, longest=_LONGEST)
    return f"{template.text} (= {'a longer text than can be shown' if resolved is None else resolved})"


def missing_keys(template: Template, context: Context) -> tuple[str, ...]:
    """The keys, as written, of those variables that `context` has no value for and that have no default either."""
    return tuple(
        variable.key for variable in template.variables if variable.default is None and not context.get(variable.key.lower())
    )
