"""A few of the policies that AWS manages, under their real ARNs: nobody here can change them.

AdministratorAccess, IAMFullAccess, IAMReadOnlyAccess and IAMUserChangePassword are whole, as AWS publishes them.  ReadOnlyAccess
and SecurityAudit name some thousand actions there, of every service there is.  Here they have all that AWS's say of IAM, STS,
Organizations, Account Management, Access Analyzer and IAM Identity Center, and of the other services the commonest; neither has
an action that AWS's has not.  Only the version in force is kept, under its number.

(AWS Managed Policy Reference Guide, as of 2025.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from instep.domain.managed_policy import AWS, ManagedPolicy, PolicyVersion

ADMINISTRATOR_ACCESS: Final = "arn:aws:iam::aws:policy/AdministratorAccess"


@dataclass(frozen=True, slots=True)
class AWSPolicy:
    """One of them, and its only version."""

    policy: ManagedPolicy
    version: PolicyVersion


def find(policy_arn: str) -> ManagedPolicy | None:
    found = ALL.get(policy_arn)
    return None if found is None else found.policy


def document_of(policy_arn: str) -> str | None:
    found = ALL.get(policy_arn)
    return None if found is None else found.version.document


def _policy(
    name: str, policy_id: str, description: str, created: str, updated: str, version: int, *statements: Mapping[str, Any]
) -> AWSPolicy:
    """`created` and `updated` are in UTC, to the minute or second, as AWS shows them."""
    created_at, updated_at = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (created, updated))
    document = json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=4)
    return AWSPolicy(
        ManagedPolicy(
            account_id=AWS,
            policy_id=policy_id,
            policy_name=name,
            path="/",
            created_at=created_at,
            updated_at=updated_at,
            default_version=version,
            newest_version=version,
            description=description,
        ),
        PolicyVersion(version, document, updated_at),
    )


def _allow(actions: str, resource: str | list[str] = "*", sid: str | None = None) -> dict[str, Any]:
    """`actions` of one service a line: its prefix, then their names."""
    named = [f"{service}:{name}" for service, *names in map(str.split, actions.strip().splitlines()) for name in names]
    statement: dict[str, Any] = {"Effect": "Allow", "Action": named, "Resource": resource}
    return statement if sid is None else {"Sid": sid, **statement}


_READ_IAM: Final = (
    "iam GenerateCredentialReport GenerateServiceLastAccessedDetails Get* List* SimulateCustomPolicy SimulatePrincipalPolicy"
)

_READ_ONLY: Final = """
access-analyzer GetAccessPreview GetAnalyzedResource GetAnalyzer GetArchiveRule GetFinding GetFindingsStatistics
access-analyzer GetGeneratedPolicy ListAccessPreviewFindings ListAccessPreviews ListAnalyzedResources ListAnalyzers
access-analyzer ListArchiveRules ListFindings ListPolicyGenerations ListTagsForResource ValidatePolicy
account GetAccountInformation GetAlternateContact GetChallengeQuestions GetContactInformation GetPrimaryEmail GetRegionOptStatus
account ListRegions
acm Describe* Get* List*
autoscaling Describe* GetPredictiveScalingForecast
cloudformation Describe* Detect* Estimate* Get* List* ValidateTemplate
cloudtrail Describe* Get* List* LookupEvents
cloudwatch Describe* GenerateQuery Get* List*
config BatchGetAggregateResourceConfig BatchGetResourceConfig Deliver* Describe* Get* List* SelectAggregateResourceConfig
config SelectResourceConfig
dynamodb BatchGet* Describe* Get* List* PartiQLSelect Query Scan
ec2 Describe* Get* ListImagesInRecycleBin ListSnapshotsInRecycleBin SearchLocalGatewayRoutes SearchTransitGatewayRoutes
ecr BatchCheck* BatchGet* Describe* Get* List*
ecs Describe* List*
eks Describe* List*
elasticloadbalancing Describe*
guardduty Describe* Get* List*
iam Generate* Get* List* Simulate*
identity-sync GetSyncProfile GetSyncTarget ListSyncFilters
identitystore DescribeGroup DescribeGroupMembership DescribeUser GetGroupId GetGroupMembershipId GetUserId IsMemberInGroups
identitystore ListGroupMemberships ListGroupMembershipsForMember ListGroups ListUsers
kms Describe* Get* List*
lambda Get* List*
logs Describe* FilterLogEvents Get* ListAnomalies ListLogAnomalyDetectors ListLogDeliveries ListTagsForResource ListTagsLogGroup
logs StartLiveTail StartQuery StopLiveTail StopQuery TestMetricFilter
organizations Describe* List*
rds Describe* Download* List*
route53 Get* List* Test*
s3 DescribeJob Get* List*
secretsmanager Describe* GetResourcePolicy List*
sns Check* Get* List*
sqs Get* List* Receive*
ssm Describe* Get* List*
sso Describe* Get* List* Search*
sso-directory Describe* List* Search*
sts GetAccessKeyInfo GetCallerIdentity GetSessionToken
tag DescribeReportCreation Get*
"""

_SECURITY_AUDIT: Final = f"""
access-analyzer GetAnalyzedResource GetAnalyzer GetArchiveRule GetFinding ListAnalyzedResources ListAnalyzers ListArchiveRules
access-analyzer ListFindings ListTagsForResource
account GetAlternateContact GetPrimaryEmail GetRegionOptStatus
acm Describe* List*
autoscaling Describe*
cloudformation DescribeStack* GetStackPolicy GetTemplate ListStack*
cloudtrail DescribeTrails GetEventSelectors GetInsightSelectors GetTrail GetTrailStatus ListTags ListTrails LookupEvents
cloudwatch Describe* GetDashboard ListDashboards ListTagsForResource
config BatchGetAggregateResourceConfig BatchGetResourceConfig Deliver* Describe* Get* List* SelectAggregateResourceConfig
config SelectResourceConfig
dynamodb DescribeContinuousBackups DescribeExport DescribeGlobalTable DescribeKinesisStreamingDestination DescribeTable
dynamodb DescribeTimeToLive ListBackups ListExports ListGlobalTables ListStreams ListTables ListTagsOfResource
ec2 Describe* GetEbsEncryptionByDefault GetImageBlockPublicAccessState GetManagedPrefixListAssociations
ec2 GetManagedPrefixListEntries SearchTransitGatewayRoutes
ecs Describe* List*
eks DescribeCluster DescribeFargateProfile DescribeNodeGroup ListClusters ListFargateProfiles ListNodeGroups ListTagsForResource
eks ListUpdates
elasticloadbalancing Describe*
guardduty DescribePublishingDestination Get* List*
{_READ_IAM}
identitystore ListGroupMemberships ListGroupMembershipsForMember ListGroups ListUsers
kms Describe* Get* List*
lambda GetAccountSettings GetFunctionConfiguration GetFunctionEventInvokeConfig GetLayerVersionPolicy GetPolicy List*
logs Describe* GetLogDelivery ListLogDeliveries ListTagsForResource ListTagsLogGroup
organizations Describe* List*
rds Describe* DownloadDBLogFilePortion ListTagsForResource
route53 Get* List*
s3 GetAccelerateConfiguration GetAccessPoint GetAccessPointPolicy GetAccessPointPolicyStatus GetAccountPublicAccessBlock
s3 GetAnalyticsConfiguration GetBucket* GetEncryptionConfiguration GetInventoryConfiguration GetLifecycleConfiguration
s3 GetMetricsConfiguration GetMultiRegionAccessPointPolicy GetObjectAcl GetObjectVersionAcl GetReplicationConfiguration
s3 ListAccessPoints ListAllMyBuckets ListMultiRegionAccessPoints
secretsmanager DescribeSecret GetResourcePolicy ListSecretVersionIds ListSecrets
sns GetPlatformApplicationAttributes GetTopicAttributes ListSubscriptions ListSubscriptionsByTopic ListTagsForResource ListTopics
sqs GetQueueAttributes ListDeadLetterSourceQueues ListQueueTags ListQueues
ssm Describe* GetAutomationExecution GetServiceSetting ListAssociations ListCommands ListDocuments ListInventoryEntries
ssm ListTagsForResource
sso DescribeAccountAssignmentCreationStatus DescribePermissionSet DescribePermissionsPolicies List*
sts GetAccessKeyInfo
tag GetResources GetTagKeys
"""

_POLICIES: Final = (
    _policy(
        "AdministratorAccess",
        "ANPAIWMBCKSKIEE64ZLYK",
        "Provides full access to AWS services and resources.",
        "2015-02-06T18:39:46",
        "2015-02-06T18:39:46",
        1,
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
    ),
    _policy(
        "IAMFullAccess",
        "ANPAI7XKCFMBPM3QQRRVQ",
        "Provides full access to IAM via the AWS Management Console.",
        "2015-02-06T18:40",
        "2019-06-21T19:40:00",
        2,
        _allow(
            """
iam *
organizations DescribeAccount DescribeOrganization DescribeOrganizationalUnit DescribePolicy ListChildren ListParents
organizations ListPoliciesForTarget ListRoots ListPolicies ListTargetsForPolicy
"""
        ),
    ),
    _policy(
        "IAMReadOnlyAccess",
        "ANPAJKSO7NDY4T57MWDSQ",
        "Provides read only access to IAM via the AWS Management Console.",
        "2015-02-06T18:40",
        "2018-01-25T19:11:27",
        4,
        _allow(_READ_IAM),
    ),
    _policy(
        "IAMUserChangePassword",
        "ANPAJ4L4MM2A7QIEB56MS",
        "Provides the ability for an IAM user to change their own password.",
        "2016-11-15T00:25",
        "2025-05-29T21:52",
        3,
        _allow("iam ChangePassword", ["arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/*/${aws:username}"]),
        _allow("iam GetAccountPasswordPolicy"),
    ),
    _policy(
        "ReadOnlyAccess",
        "ANPAILL3HVNFSB6DCOWYQ",
        "Provides read-only access to AWS services and resources.",
        "2015-02-06T18:39",
        "2025-01-23T12:37:06",
        128,
        _allow(_READ_ONLY, sid="ReadOnlyActions"),
    ),
    _policy(
        "SecurityAudit",
        "ANPAIX2T3QCXHR2OGGCTO",
        "The security audit template grants access to read security configuration metadata. It is useful for software that audits"
        " the configuration of an AWS account.",
        "2015-02-06T18:41",
        "2025-01-24T21:52:06",
        49,
        _allow(_SECURITY_AUDIT, sid="BaseSecurityAuditStatement"),
    ),
)

ALL: Final[Mapping[str, AWSPolicy]] = MappingProxyType({each.policy.arn: each for each in _POLICIES})
"""By ARN, in the order of their names."""
