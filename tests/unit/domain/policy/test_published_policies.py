"""The guide's example policies for people who manage their own MFA devices: what each grants and denies."""

from __future__ import annotations

import pytest

from instep.domain.policy.evaluation import Outcome, Policies, decide
from tests.unit.domain.policy.making import ACCOUNT, NO_MFA_KEYS, RICHARD, WITHOUT_MFA, published, request, with_mfa

ALLOWED, EXPLICIT, IMPLICIT = Outcome.ALLOWED, Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY
SALLY = f"arn:aws:iam::{ACCOUNT}:user/Sally"
OWN_DEVICE = f"arn:aws:iam::{ACCOUNT}:mfa/Richard"
OTHER_DEVICE = f"arn:aws:iam::{ACCOUNT}:mfa/RichardsPhone"
DEVICES = f"arn:aws:iam::{ACCOUNT}:mfa/"
USERS = f"arn:aws:iam::{ACCOUNT}:user/"
BUCKET = "arn:aws:s3:::bucket"

# Policy, action, resource; what becomes of it without MFA and with it.
CASES = [
    *[
        (name, action, resource, ALLOWED, ALLOWED)
        for name in ("manage-own-mfa-console", "manage-own-mfa-console-2019", "manage-own-mfa-cli", "force-mfa")
        for action, resource in (
            ("iam:CreateVirtualMFADevice", OWN_DEVICE),
            ("iam:EnableMFADevice", RICHARD),
            ("iam:ResyncMFADevice", RICHARD),
            ("iam:ListMFADevices", RICHARD),
            ("iam:ListVirtualMFADevices", DEVICES),
        )
    ],
    ("manage-own-mfa-console", "iam:CreateVirtualMFADevice", OTHER_DEVICE, ALLOWED, ALLOWED),
    ("manage-own-mfa-console", "iam:GetUser", RICHARD, ALLOWED, ALLOWED),
    ("manage-own-mfa-console", "iam:GetUser", SALLY, IMPLICIT, IMPLICIT),
    ("manage-own-mfa-console", "iam:EnableMFADevice", SALLY, IMPLICIT, IMPLICIT),
    ("manage-own-mfa-console", "iam:DeactivateMFADevice", RICHARD, EXPLICIT, ALLOWED),
    ("manage-own-mfa-console", "iam:DeactivateMFADevice", SALLY, EXPLICIT, IMPLICIT),
    ("manage-own-mfa-console", "iam:DeleteVirtualMFADevice", OWN_DEVICE, EXPLICIT, IMPLICIT),
    ("manage-own-mfa-console", "iam:ChangePassword", RICHARD, EXPLICIT, IMPLICIT),
    ("manage-own-mfa-console", "iam:ListUsers", USERS, EXPLICIT, IMPLICIT),
    ("manage-own-mfa-console", "s3:ListBucket", BUCKET, EXPLICIT, IMPLICIT),
    # Not denied, and not allowed either: nothing needs to allow it.
    ("manage-own-mfa-console", "sts:GetSessionToken", "*", IMPLICIT, IMPLICIT),
    # A device had to bear its user's name then: people got "no identity-based policy allows" for any other.
    ("manage-own-mfa-console-2019", "iam:CreateVirtualMFADevice", OTHER_DEVICE, IMPLICIT, IMPLICIT),
    # Whoever breaks off half-way cannot begin again: an administrator has to delete the device.
    ("manage-own-mfa-console-2019", "iam:DeleteVirtualMFADevice", OWN_DEVICE, EXPLICIT, ALLOWED),
    ("manage-own-mfa-console-2019", "iam:DeleteVirtualMFADevice", OTHER_DEVICE, EXPLICIT, IMPLICIT),
    ("manage-own-mfa-console-2019", "iam:DeactivateMFADevice", RICHARD, EXPLICIT, ALLOWED),
    ("manage-own-mfa-cli", "iam:ListUsers", USERS, ALLOWED, ALLOWED),
    ("manage-own-mfa-cli", "iam:DeactivateMFADevice", RICHARD, EXPLICIT, ALLOWED),
    ("manage-own-mfa-cli", "iam:DeactivateMFADevice", SALLY, EXPLICIT, IMPLICIT),
    ("manage-own-mfa-cli", "iam:GetMFADevice", RICHARD, EXPLICIT, ALLOWED),
    ("manage-own-mfa-cli", "iam:GetUser", RICHARD, EXPLICIT, IMPLICIT),
    # It does not list this one, and claims to suffice for the CLI: so a Deny of it cannot count.
    ("manage-own-mfa-cli", "sts:GetSessionToken", "*", EXPLICIT, IMPLICIT),
    ("force-mfa", "iam:GetUser", RICHARD, ALLOWED, ALLOWED),
    # A new user who has to change the password first gets no further with this policy.
    ("force-mfa", "iam:ChangePassword", RICHARD, EXPLICIT, ALLOWED),
    ("force-mfa", "iam:GetAccountPasswordPolicy", "*", EXPLICIT, ALLOWED),
    ("force-mfa", "iam:GetAccountSummary", "*", EXPLICIT, ALLOWED),
    ("force-mfa", "iam:CreateAccessKey", RICHARD, EXPLICIT, ALLOWED),
    ("force-mfa", "iam:CreateAccessKey", SALLY, EXPLICIT, IMPLICIT),
    ("force-mfa", "iam:UploadSSHPublicKey", RICHARD, EXPLICIT, ALLOWED),
    ("force-mfa", "iam:DeactivateMFADevice", RICHARD, EXPLICIT, ALLOWED),
    ("force-mfa", "iam:ListUsers", USERS, EXPLICIT, IMPLICIT),
    ("hardware-token", "iam:EnableMFADevice", RICHARD, ALLOWED, ALLOWED),
    ("hardware-token", "iam:ResyncMFADevice", RICHARD, ALLOWED, ALLOWED),
    ("hardware-token", "iam:ListMFADevices", RICHARD, ALLOWED, ALLOWED),
    ("hardware-token", "iam:GetUser", RICHARD, ALLOWED, ALLOWED),
    ("hardware-token", "iam:DeactivateMFADevice", RICHARD, EXPLICIT, ALLOWED),
    ("hardware-token", "iam:ChangePassword", RICHARD, EXPLICIT, IMPLICIT),
    # Its Deny speaks of the caller's own user only.
    ("hardware-token", "iam:DeactivateMFADevice", SALLY, IMPLICIT, IMPLICIT),
    ("hardware-token", "s3:ListBucket", BUCKET, IMPLICIT, IMPLICIT),
]


@pytest.mark.parametrize(("name", "action", "resource", "without", "with_it"), CASES)
def test_a_published_policy_does_what_its_page_says(
    name: str, action: str, resource: str, without: Outcome, with_it: Outcome
) -> None:
    policies = Policies(identity=(published(name),))

    assert decide(policies, request(action, resource, NO_MFA_KEYS)).outcome is without
    assert decide(policies, request(action, resource, WITHOUT_MFA)).outcome is without
    assert decide(policies, request(action, resource, with_mfa())).outcome is with_it


def test_a_refused_device_name_is_explained_as_aws_explained_it() -> None:
    policies = Policies(identity=(published("manage-own-mfa-console-2019"),))

    decision = decide(policies, request("iam:CreateVirtualMFADevice", OTHER_DEVICE, WITHOUT_MFA))

    assert decision.because("iam:CreateVirtualMFADevice") == (
        "because no identity-based policy allows the iam:CreateVirtualMFADevice action"
    )
