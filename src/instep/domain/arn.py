"""Amazon Resource Names of what lives here (IAM User Guide, "IAM identifiers")."""

from __future__ import annotations


def root_arn(account_id: str) -> str:
    return f"arn:aws:iam::{account_id}:root"


def user_arn(account_id: str, path: str, user_name: str) -> str:
    """`path` begins and ends with a slash and is part of the ARN."""
    return f"arn:aws:iam::{account_id}:user{path}{user_name}"


def mfa_device_arn(account_id: str, path: str, device_name: str) -> str:
    """The serial number of a virtual MFA device."""
    return f"arn:aws:iam::{account_id}:mfa{path}{device_name}"
