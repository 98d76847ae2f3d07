"""Texts with variables, put for people who wonder why something does not match."""

from __future__ import annotations

from instep.domain.policy.variables import Context, Template


def with_values(template: Template, context: Context) -> str:
    """As written, and what this request's values make of it: `user/${aws:username} (= user/Richard)`."""
    if template.constant:
        return template.text
    resolved = template.resolve(context)
    if resolved is None:
        lacking = [variable.key for variable in template.variables if variable.resolve(context) is None]
        return f"{template.text} (no single value for {', '.join(lacking)})"
    return f"{template.text} (= {resolved})"


def missing_keys(template: Template, context: Context) -> tuple[str, ...]:
    """The keys, as written, of those variables that `context` has no value for and that have no default either."""
    return tuple(
        variable.key for variable in template.variables if variable.default is None and not context.get(variable.key.lower())
    )
