"""The same change from a command line: what to type for the AWS CLI and for PowerShell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

# What PowerShell reads as one plain word; @ and a comma mean something to it, and a minus in front is a parameter.
_PLAIN = re.compile(r"[A-Za-z0-9_./:][A-Za-z0-9_./:-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Command:
    """One command for one program."""

    program: str
    text: str


def aws_cli(command: str, options: Mapping[str, str], *, endpoint: str) -> Command:
    """`command` is such as `iam resync-mfa-device`; `options` without their dashes."""
    words = ["aws", *command.split()]
    for name, value in {**options, "endpoint-url": endpoint}.items():
        words += [f"--{name}", shlex.quote(value)]
    return Command("AWS CLI", " ".join(words))


def powershell(command: str, parameters: Mapping[str, str], *, endpoint: str) -> Command:
    """`command` is such as `Sync-IAMMFADevice`; `parameters` without their dashes."""
    words = [command]
    for name, value in {**parameters, "EndpointUrl": endpoint}.items():
        words += [f"-{name}", value if _PLAIN.fullmatch(value) else _quoted(value)]
    return Command("PowerShell", " ".join(words))


def _quoted(value: str) -> str:
    # PowerShell takes curly quotation marks for straight ones, so each is doubled.
    return "'" + re.sub("(['‘’‚‛])", r"\1\1", value) + "'"
