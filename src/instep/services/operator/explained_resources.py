"""What is known of a resource before a request is made for it."""

from __future__ import annotations

from instep.domain import arn
from instep.services.iam.owners import role_resource
from instep.services.iam.targets import user_resource
from instep.services.operation import Call, Resource
from instep.services.sts.trust import find_role


def resource_named(call: Call, resource_arn: str) -> Resource:
    """With tags and permissions boundary, where it is something of the account's; else the name alone."""
    parts = arn.segments(resource_arn)
    if len(parts) < arn.SEGMENTS or parts[2] != "iam":
        return Resource(resource_arn)
    kind, _, name = parts[5].partition("/")
    return _found(call, kind, name, resource_arn) or Resource(resource_arn)


def _found(call: Call, kind: str, name: str, resource_arn: str) -> Resource | None:
    tx, account_id = call.tx, call.account_id
    match kind:
        case "user":
            user = tx.users.find(account_id, name.rpartition("/")[2])
            return user_resource(user) if user is not None and user.arn == resource_arn else None
        case "role":
            role = find_role(call, resource_arn)
            return role_resource(role) if role is not None else None
        case "policy":
            policy = tx.managed_policies.find(account_id, resource_arn)
            return Resource(policy.arn, policy.tags) if policy is not None else None
        case "mfa":
            device = tx.mfa_devices.find(account_id, resource_arn)
            return Resource(resource_arn, device.tags) if device is not None else None
        case _:
            return None
