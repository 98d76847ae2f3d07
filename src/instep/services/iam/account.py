"""The account as a whole: its alias and its summary."""

from __future__ import annotations

import re

from instep.api.common import ValidationError
from instep.api.errors import NoSuchEntity
from instep.api.iam import (
    CreateAccountAliasRequest,
    DeleteAccountAliasRequest,
    GetAccountSummaryResponse,
    ListAccountAliasesRequest,
    ListAccountAliasesResponse,
)
from instep.services import paging
from instep.services.iam import held_devices
from instep.services.iam.targets import on_everything
from instep.services.operation import Call, operation
from instep.settings import Quotas

_ACCOUNT_ID = re.compile(r"[0-9]{12}")

# What has no setting and is never counted here, as recorded from GetAccountSummary in February 2026.
_CONSTANTS = {
    "AccountSigningCertificatesPresent": 0,
    "GlobalEndpointTokenVersion": 1,
    "InstanceProfiles": 0,
    "InstanceProfilesQuota": 1000,
    "PolicyVersionsInUseQuota": 10000,
    "Providers": 0,
    "ServerCertificates": 0,
    "ServerCertificatesQuota": 20,
    "SigningCertificatesPerUserQuota": 2,
}


def check_alias(alias: str) -> None:
    """Raises ValidationError for one that would pass for the id of another account."""
    if _ACCOUNT_ID.fullmatch(alias):
        raise ValidationError("The account alias must not be twelve digits: it would be taken for an account id.")


@operation("iam:CreateAccountAlias", on=on_everything, writes=True)
def create_account_alias(call: Call, request: CreateAccountAliasRequest) -> None:
    """An account has one alias: a second takes the first one's place."""
    check_alias(request.account_alias)
    call.tx.accounts.set_alias(call.account_id, request.account_alias)


@operation("iam:DeleteAccountAlias", on=on_everything, writes=True)
def delete_account_alias(call: Call, request: DeleteAccountAliasRequest) -> None:
    account = call.tx.accounts.find(call.account_id)
    if account is None or account.alias != request.account_alias:
        raise NoSuchEntity(f"The account alias {request.account_alias} cannot be found.")
    call.tx.accounts.set_alias(call.account_id, None)


@operation("iam:ListAccountAliases", on=on_everything, writes=False)
def list_account_aliases(call: Call, request: ListAccountAliasesRequest) -> ListAccountAliasesResponse:
    after = paging.after(call, "account-aliases", request)
    account = call.tx.accounts.find(call.account_id)
    aliases = (account.alias,) if account is not None and account.alias is not None and after is None else ()
    return ListAccountAliasesResponse(account_aliases=aliases, is_truncated=False)


@operation("iam:GetAccountSummary", on=on_everything, writes=False)
def get_account_summary(call: Call, request: None) -> GetAccountSummaryResponse:
    tx, account_id = call.tx, call.account_id
    devices, in_use = tx.mfa_devices.counts(account_id)
    # A security key is always somebody's.
    keys = tx.security_keys.count(account_id)
    return GetAccountSummaryResponse(
        summary_map={
            **_CONSTANTS,
            **_quotas(call.settings.quotas),
            "AccountAccessKeysPresent": int(tx.access_keys.count(account_id, account_id) > 0),
            "AccountMFAEnabled": int(held_devices.count(call, account_id) > 0),
            "AccountPasswordPresent": int(tx.accounts.root_of(account_id) is not None),
            "Groups": tx.groups.count(account_id),
            "MFADevices": devices + keys,
            "MFADevicesInUse": in_use + keys,
            "Policies": tx.managed_policies.count(account_id),
            "PolicyVersionsInUse": tx.managed_policies.count_versions(account_id),
            "Roles": tx.roles.count(account_id),
            "Users": tx.users.count(account_id),
        }
    )


def _quotas(quotas: Quotas) -> dict[str, int]:
    return {
        "AccessKeysPerUserQuota": quotas.access_keys_per_user,
        "AssumeRolePolicySizeQuota": quotas.trust_policy_size,
        "AttachedPoliciesPerGroupQuota": quotas.policies_per_group,
        "AttachedPoliciesPerRoleQuota": quotas.policies_per_role,
        "AttachedPoliciesPerUserQuota": quotas.policies_per_user,
        "GroupPolicySizeQuota": quotas.group_policy_size,
        "GroupsPerUserQuota": quotas.groups_per_user,
        "GroupsQuota": quotas.groups,
        "PoliciesQuota": quotas.policies,
        "PolicySizeQuota": quotas.policy_size,
        "RolePolicySizeQuota": quotas.role_policy_size,
        "RolesQuota": quotas.roles,
        "UserPolicySizeQuota": quotas.user_policy_size,
        "UsersQuota": quotas.users,
        "VersionsPerPolicyQuota": quotas.versions_per_policy,
    }
