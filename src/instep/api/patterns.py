"""The vendor's patterns, made to mean here what they mean there."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import regex

_PROPERTY = re.compile(r"\\p\{\w+\}")


@cache
def matcher(pattern: str) -> Callable[[str], object | None]:
    """What tells whether a whole value matches the vendor's Java pattern: None says that it does not.

    Raises ValueError for what no pattern of the models has needed yet.
    """
    ours = translate(pattern)
    # `regex` knows \p{L}, but takes quadratic time over `/a/a/a…` where `re` takes linear time; so it gets what `re` cannot read.
    return regex.compile(ours).fullmatch if _PROPERTY.search(ours) else re.compile(ours).fullmatch


def translate(pattern: str) -> str:
    """The vendor's Java pattern in Python's words.

    The vendor's `\\w` and `\\d` are ASCII, ours would let full-width digits pass; so they are spelt out.  (An ASCII flag would
    restrict `\\p{L}` as well.)  `\\uXXXX` has four digits in both, so `\\u10000-\\u10FFFF` means what AWS makes of it: no emoji.
    """
    written: list[str] = []
    in_class = False
    for part in re.findall(r"\\.|\(\?|.", pattern, re.DOTALL):
        match part:
            case "\\w" | "\\d":
                spelt = "A-Za-z0-9_" if part == "\\w" else "0-9"
                written.append(spelt if in_class else f"[{spelt}]")
            case _ if part[0] == "\\" and part[1].isalnum() and part[1] not in "pu":
                raise ValueError(f"no translation for {part} in {pattern}")
            case "[" if in_class:
                written.append("\\[")
            case "(" if not in_class:
                # Groups need not be remembered; a hostile value would make a long memory of them.
                written.append("(?:")
            case _:
                in_class = (in_class or part == "[") and part != "]"
                written.append(part)
    return "".join(written)
