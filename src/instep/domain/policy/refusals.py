"""What AWS says to policies that it does not take."""

from __future__ import annotations

from typing import Any, TypeAlias

from instep.api.errors import MalformedPolicyDocument

Element: TypeAlias = dict[str, Any]
"""A statement as JSON has it."""

SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"

_SHOWN = 256


def malformed(sentence: str, *told: object) -> MalformedPolicyDocument:
    """The refusal in AWS's words; `told`, what the policy says, goes where `sentence` has braces.

    The sender is told it again, in part when it is long; logs are not, as a policy may hold what others should not read.
    """
    texts = [str(value) for value in told]
    shown = [text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…" for text in texts]
    return MalformedPolicyDocument(sentence.format(*shown), loggable=sentence.format(*("…" for _ in told)))
