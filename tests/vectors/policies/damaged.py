"""What malformed policies are made of: good ones, texts that are no JSON, and good ones damaged by seed."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

STATEMENT: dict[str, Any] = {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}
TRUST: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}


def document(*statements: Any, **elements: Any) -> str:
    """A policy of the newer version; `elements` are added to the document or replace what is there."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)} | elements)


_GOOD = document(STATEMENT)

# Among them some that readers of JSON understand in different ways.
NO_JSON: dict[str, str] = {
    "empty": "",
    "a space": " ",
    "words": "This is no policy",
    "an opening brace": "{",
    "a list that never ends": "[" * 50_000,
    "objects in objects without end": '{"Statement":' * 50_000,
    "closed levels beyond need": "[" * 5000 + "]" * 5000,
    "cut off": _GOOD[:-1],
    "cut off in a text": _GOOD[:25],
    "twice": _GOOD + _GOOD,
    "trailing garbage": _GOOD + "x",
    "a trailing brace": _GOOD + "}",
    "a byte order mark": "\ufeff" + _GOOD,
    "a trailing comma": _GOOD[:-1] + ",}",
    "a comma too many in a list": '{"Version":"2012-10-17","Statement":[,]}',
    "no commas": _GOOD.replace(",", " "),
    "no colons": _GOOD.replace(":", " "),
    "single quotes": _GOOD.replace('"', "'"),
    "names without quotes": _GOOD.replace('"Version"', "Version"),
    "a comment": "/* policy */ " + _GOOD,
    "a comment to the end of the line": _GOOD + " // policy",
    "the version twice": _GOOD.replace('"Version": "2012-10-17"', '"Version": "2008-10-17", "Version": "2012-10-17"'),
    "the effect twice": _GOOD.replace('"Effect": "Allow"', '"Effect": "Deny", "Effect": "Allow"'),
    "the action twice": _GOOD.replace('"Resource"', '"Action": "s3:*", "Resource"'),
    "the statement twice": _GOOD[:-1] + ', "Statement": []}',
    "a name twice, once with an escape": _GOOD[:-1] + ', "\\u0056ersion": "2012-10-17"}',
    "not a number": _GOOD.replace('"2012-10-17"', "NaN"),
    "infinity": _GOOD.replace('"2012-10-17"', "Infinity"),
    "minus infinity": _GOOD.replace('"2012-10-17"', "-Infinity"),
    "half of a surrogate pair": _GOOD.replace("iam:ListUsers", "iam:\\ud800"),
    "half of a surrogate pair in a name": _GOOD.replace("Resource", "Resource\\udfff"),
    "an unknown escape": _GOOD.replace("iam:", "\\q"),
    "a short escape": _GOOD.replace("iam:", "\\u12"),
    "a line break in a text": _GOOD.replace("iam:", "iam:\n"),
    "a null character": _GOOD.replace("iam:", "iam:\0"),
    "a number with a leading zero": _GOOD.replace('"2012-10-17"', "02012"),
    "percent encoded": _GOOD.replace('"', "%22"),
    "YAML": "Version: 2012-10-17\nStatement: []\n",
    "XML": "<Policy><Statement/></Policy>",
    "True for true": _GOOD.replace('"*"', "True"),
}

NO_DOCUMENT: dict[str, Any] = {"null": None, "true": True, "a number": 7, "a text": "Allow", "a list": [STATEMENT]}

Damage = Callable[[Random, dict[str, Any]], str]


def _truncated(random: Random, policy: dict[str, Any]) -> str:
    text = json.dumps(policy)
    return text[: random.randrange(len(text))]


def _without_a_quote(random: Random, policy: dict[str, Any]) -> str:
    text = json.dumps(policy)
    quotes = [at for at, character in enumerate(text) if character == '"']
    at = random.choice(quotes)
    return text[:at] + text[at + 1 :]


def _without_a_bracket(random: Random, policy: dict[str, Any]) -> str:
    text = json.dumps(policy)
    brackets = [at for at, character in enumerate(text) if character in "{}[]"]
    at = random.choice(brackets)
    return text[:at] + text[at + 1 :]


def _of_the_wrong_type(random: Random, policy: dict[str, Any]) -> str:
    statement = random.choice(policy["Statement"])
    name = random.choice([name for name in statement if name != "Condition"])
    statement[name] = random.choice([None, True, 5, {"AWS": 7}, [[statement[name]]]])
    return json.dumps(policy)


def _with_something_unknown(random: Random, policy: dict[str, Any]) -> str:
    name = "".join(random.choices("ABCDEFabcdef", k=9))
    random.choice([policy, *policy["Statement"]])[name] = "x"
    return json.dumps(policy)


def _without_something_needed(random: Random, policy: dict[str, Any]) -> str:
    statement = random.choice(policy["Statement"])
    del statement[random.choice([name for name in statement if name not in {"Sid", "Condition"}])]
    return json.dumps(policy)


def _with_something_twice(random: Random, policy: dict[str, Any]) -> str:
    text = json.dumps(policy)
    name = random.choice(list(policy["Statement"][0]))
    member = f"{json.dumps(name)}: {json.dumps(policy['Statement'][0][name])}"
    return text.replace(member, f"{member}, {member}", 1)


_DAMAGES: tuple[Damage, ...] = (
    _truncated,
    _without_a_quote,
    _without_a_bracket,
    _of_the_wrong_type,
    _with_something_unknown,
    _without_something_needed,
    _with_something_twice,
)


def generated(count: int, *, seed: int, trust: bool = False) -> list[tuple[str, str]]:
    """`count` policies of one to three statements, each damaged in a way that nothing can be made of."""
    random = Random(seed)
    policies = []
    for number in range(count):
        base = TRUST if trust else STATEMENT
        statements = [
            {"Sid": f"S{at}", **base, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}
            for at in range(random.randint(1, 3))
        ]
        damage = _DAMAGES[number % len(_DAMAGES)]
        policy = {"Version": "2012-10-17", "Statement": statements}
        policies.append((f"generated: {number}{damage.__name__.replace('_', ' ')}", damage(random, policy)))
    return policies
