"""The account as a whole: its alias and its summary."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from instep.api.common import AWSError, ValidationError
from instep.api.errors import EntityAlreadyExists, NoSuchEntity
from instep.domain.identity import Principal
from tests.support.house import ACCOUNT, OTHER_ACCOUNT, House, house

POLICY = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}})


def message(error: type[AWSError], home: House, action: str, **parameters: object) -> str:
    with pytest.raises(error) as caught:
        home.call(action, **parameters)
    return caught.value.message


def test_an_account_has_one_alias(home: House) -> None:
    home.call("iam:CreateAccountAlias", AccountAlias="second")
    assert home.call("iam:ListAccountAliases").account_aliases == ("second",)

    with pytest.raises(EntityAlreadyExists, match="The account alias second already exists"):
        home.call("iam:CreateAccountAlias", Principal.root(OTHER_ACCOUNT), AccountAlias="second")
    message(NoSuchEntity, home, "iam:DeleteAccountAlias", AccountAlias="example")
    message(ValidationError, home, "iam:CreateAccountAlias", AccountAlias="a--b")
    assert "twelve digits" in message(ValidationError, home, "iam:CreateAccountAlias", AccountAlias=OTHER_ACCOUNT)
    home.call("iam:DeleteAccountAlias", AccountAlias="second")
    assert home.call("iam:ListAccountAliases").account_aliases == ()


def test_the_summary_counts_what_there_is(home: House) -> None:
    before = home.call("iam:GetAccountSummary").summary_map
    home.user("Richard")
    home.enabled_device("Richard", "RichardsMFA")
    home.virtual_device("Spare")
    for name in ("Admins", "Readers"):
        home.call("iam:CreateGroup", GroupName=name)
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    home.call("iam:CreateRole", RoleName="Deployer", AssumeRolePolicyDocument=document)
    made = home.call("iam:CreatePolicy", PolicyName="Listing", PolicyDocument=POLICY).policy
    home.call("iam:CreatePolicyVersion", PolicyArn=made.arn, PolicyDocument=POLICY)

    after = home.call("iam:GetAccountSummary").summary_map

    changed = {key: after[key] - before[key] for key in after if after[key] != before[key]}
    assert changed == {
        "Users": 1,
        "MFADevices": 2,
        "MFADevicesInUse": 1,
        "Groups": 2,
        "Roles": 1,
        "Policies": 1,
        "PolicyVersionsInUse": 2,
    }
    assert home.call("iam:GetAccountSummary", Principal.root(OTHER_ACCOUNT)).summary_map == before


def test_the_summary_tells_the_quotas_of_aws(home: House) -> None:
    summary = home.call("iam:GetAccountSummary").summary_map

    assert {key: number for key, number in summary.items() if key.endswith("Quota")} == {
        "AccessKeysPerUserQuota": 2,
        "AssumeRolePolicySizeQuota": 2048,
        "AttachedPoliciesPerGroupQuota": 10,
        "AttachedPoliciesPerRoleQuota": 10,
        "AttachedPoliciesPerUserQuota": 10,
        "GroupPolicySizeQuota": 5120,
        "GroupsPerUserQuota": 10,
        "GroupsQuota": 300,
        "InstanceProfilesQuota": 1000,
        "PoliciesQuota": 1500,
        "PolicySizeQuota": 6144,
        "PolicyVersionsInUseQuota": 10000,
        "RolePolicySizeQuota": 10240,
        "RolesQuota": 1000,
        "ServerCertificatesQuota": 20,
        "SigningCertificatesPerUserQuota": 2,
        "UserPolicySizeQuota": 2048,
        "UsersQuota": 5000,
        "VersionsPerPolicyQuota": 5,
    }
    assert (summary["AccountMFAEnabled"], summary["AccountPasswordPresent"], summary["GlobalEndpointTokenVersion"]) == (0, 1, 1)


def test_the_summary_tells_the_quotas_that_are_set(tmp_path: Path) -> None:
    with house(tmp_path, quotas={"groups": 7, "trust_policy_size": 4096}) as home:
        summary = home.call("iam:GetAccountSummary").summary_map

    assert (summary["GroupsQuota"], summary["AssumeRolePolicySizeQuota"]) == (7, 4096)
