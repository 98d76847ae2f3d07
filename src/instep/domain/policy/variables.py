"""Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}` for a plain asterisk.

(IAM User Guide, "IAM policy elements: Variables and tags")
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Context: TypeAlias = Mapping[str, tuple[str, ...]]
"""What a request brings to conditions and variables: names of keys in lower case, values as text.  An absent key is not in it."""

# What a key may be made of; tag keys know many alphabets.  Spaces, quotes and braces would leave open where the variable ends.
_VARIABLE = re.compile(r"\$\{(?:(?P<verbatim>[*?$])|(?P<key>[^\s'\"{}$,*?]+)(?:, ?'(?P<default>[^']*)')?)\}")


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text that is data whatever it is made of: `${*}` gives an asterisk that is no wildcard."""

    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """`key` as written; `default`, what to take where the request does not have the key; `name`, the key's in a context."""

    key: str
    default: str | None = None
    name: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.key.lower())

    def resolve(self, context: Context) -> str | None:
        """The one value of the key, or the default, or None.  A key of several values has no one value, and no default helps."""
        values = context.get(self.name, ())
        if not values:
            return self.default
        return values[0] if len(values) == 1 else None


Part: TypeAlias = str | Verbatim | Variable


@dataclass(frozen=True, slots=True)
class Template:
    """A text in which variables stand.  `parts` are what it is made of, in order; plain `str` is text as written."""

    text: str
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, text: str, *, variables: bool = True) -> Template:
        """Without `variables` (older documents) all is plain text.  Raises ValueError where a variable is begun but is none."""
        return cls(text, _parse(text) if variables else (text,))

    @property
    def constant(self) -> bool:
        """Whether every request gives the same text."""
        return not any(isinstance(part, Variable) for part in self.parts)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(part for part in self.parts if isinstance(part, Variable))

    def resolve(self, context: Context, *, longest: int) -> str | None:
        """The text for this request, or None when one of its variables has no value, or it is longer than `longest` characters.

        A short document can stand for a very long text: what nobody asks for is not made.
        """
        resolved: list[str] = []
        length = 0
        for part in self.parts:
            value = part.resolve(context) if isinstance(part, Variable) else part.text if isinstance(part, Verbatim) else part
            if value is None:
                return None
            length += len(value)
            if length > longest:
                return None
            resolved.append(value)
        return "".join(resolved)


def _parse(text: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    end = 0
    while (start := text.find("${", end)) >= 0:
        found = _VARIABLE.match(text, start)
        if found is None:
            raise ValueError(f"a variable is malformed at {text[start : start + 40]!r}")
        if start > end:
            parts.append(text[end:start])
        key = found["key"]
        parts.append(Verbatim(found["verbatim"]) if key is None else Variable(key, found["default"]))
        end = found.end()
    if end < len(text) or not parts:
        parts.append(text[end:])
    return tuple(parts)
