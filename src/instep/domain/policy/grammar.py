"""What all policies have in common: statements, elements of one text or many, conditions (IAM User Guide, "Policy grammar")."""

from __future__ import annotations

from typing import Any, TypeAlias

from instep.domain.policy.condition import Condition
from instep.domain.policy.json_text import Number
from instep.domain.policy.refusals import LEGACY, SYNTAX, Element, malformed

Checked: TypeAlias = tuple[Element, tuple[Condition, ...]]
"""A statement in which everything is as it must be, and its conditions."""

DOCUMENT = frozenset({"Version", "Id", "Statement"})
STATEMENT = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"})
PRINCIPAL = frozenset({"Principal", "NotPrincipal"})


def texts_of(statement: Element, name: str, negated: str) -> list[str]:
    """The texts under whichever of the two elements there is; one stands for a list of one."""
    value: Any = statement.get(name, statement.get(negated, []))
    return value if isinstance(value, list) else [value]


def conditions_of(statement: Element, number: int, *, variables: bool) -> tuple[Condition, ...]:
    """The conditions of the statement, which is the document's `number`th.  Raises MalformedPolicyDocument."""
    block = statement.get("Condition", {})
    if not isinstance(block, dict):
        raise malformed(SYNTAX)
    conditions = []
    for operator, keys in block.items():
        check_operator(operator, keys)
        for key, value in keys.items():
            values = condition_values(value)
            try:
                conditions.append(Condition.of(operator, key, values, variables=variables))
            except ValueError as error:
                if "Date" in operator:
                    raise malformed(LEGACY) from None
                raise malformed(f"Statement {number}, Condition: {{}} for {{}}, {{}}.", operator, key, error) from None
    return tuple(conditions)


def check_operator(operator: str, keys: Any) -> None:
    """That there is such an operator, and keys under it."""
    if not isinstance(keys, dict) or "" in keys:
        raise malformed(SYNTAX)
    try:
        # Without values there is nothing to object to but the operator.
        Condition.of(operator, "", (), variables=False)
    except ValueError:
        raise malformed(SYNTAX) from None


def condition_values(value: Any) -> tuple[str, ...]:
    """Numbers and truth values stand for their texts."""
    values = value if isinstance(value, list) else [value]
    texts = []
    for one in values:
        match one:
            case bool():
                texts.append("true" if one else "false")
            case str():
                texts.append(one)
            case Number():
                texts.append(one.text)
            case _:
                raise malformed(SYNTAX)
    if not texts:
        raise malformed(SYNTAX)
    return tuple(texts)


def statements(value: Any) -> list[Element]:
    """One statement stands for a list of one."""
    elements = value if isinstance(value, list) else [value]
    if not elements or not all(isinstance(element, dict) for element in elements):
        raise malformed(SYNTAX)
    return elements


def check_texts(statement: Element, name: str, negated: str) -> None:
    """That only one of the two elements is there, and nothing but texts in it."""
    if name in statement and negated in statement:
        raise malformed(SYNTAX)
    if not all(isinstance(text, str) for text in texts_of(statement, name, negated)):
        raise malformed(SYNTAX)
