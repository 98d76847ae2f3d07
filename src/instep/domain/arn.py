"""Amazon Resource Names of what lives here (IAM User Guide, "IAM identifiers")."""

from __future__ import annotations

SEGMENTS = 6
"""`arn`, partition, service, region, account and the rest, with colons between them."""


def segments(arn: str) -> list[str]:
    """What stands between the first five colons and behind them; fewer than `SEGMENTS` when `arn` is none."""
    return arn.split(":", SEGMENTS - 1)


def is_arn(text: str) -> bool:
    """Whether it begins as an ARN and has all segments; what is in them is not looked at."""
    return text.startswith("arn:") and len(segments(text)) == SEGMENTS


def root_arn(account_id: str) -> str:
    return f"arn:aws:iam::{account_id}:root"


def user_arn(account_id: str, path: str, user_name: str) -> str:
    """`path` begins and ends with a slash and is part of the ARN."""
    return f"arn:aws:iam::{account_id}:user{path}{user_name}"


def group_arn(account_id: str, path: str, group_name: str) -> str:
    return f"arn:aws:iam::{account_id}:group{path}{group_name}"


def role_arn(account_id: str, path: str, role_name: str) -> str:
    return f"arn:aws:iam::{account_id}:role{path}{role_name}"


def policy_arn(account_id: str, path: str, policy_name: str) -> str:
    """`account_id` is `aws` for the policies that AWS manages."""
    return f"arn:aws:iam::{account_id}:policy{path}{policy_name}"


def assumed_role_arn(account_id: str, role_name: str, session_name: str) -> str:
    """A role session's own; the role's path is no part of it."""
    return f"arn:aws:sts::{account_id}:assumed-role/{role_name}/{session_name}"


def federated_user_arn(account_id: str, name: str) -> str:
    return f"arn:aws:sts::{account_id}:federated-user/{name}"


def mfa_device_arn(account_id: str, path: str, device_name: str) -> str:
    """The serial number of a virtual MFA device."""
    return f"arn:aws:iam::{account_id}:mfa{path}{device_name}"
