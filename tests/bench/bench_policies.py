"""What it costs to ask policies, beside the whole of a signed request that asks them."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from instep.cli.demo import POLICY
from instep.domain.identity import Principal
from instep.domain.policy.evaluation import AccessRequest, Policies, decide
from instep.services.policy_cache import PolicyCache
from tests.support.house import ACCOUNT, House, house
from tests.support.sessions import keys_of, signed

OWN = f"arn:aws:iam::{ACCOUNT}:user/Richard"
MANAGED = 10  # policies attached to the user, and as many to a group of theirs
ROUNDS = 5


def cpu(work: Callable[[], object], *, times: int) -> float:
    """CPU seconds of one, in the best of some rounds; the process has no other threads."""
    least = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(times):
            work()
        least = min(least, (time.process_time() - begun) / times)
    return least


def managed_document(number: int) -> str:
    """Three statements, each with a variable or a condition; none has a say in listing one's own devices."""
    bucket = f"arn:aws:s3:::team-{number}"
    statements = [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": f"{bucket}/${{aws:username}}/*",
            "Condition": {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"]}},
        },
        {
            "Effect": "Allow",
            "Action": "iam:*AccessKey*",
            "Resource": f"arn:aws:iam::*:user/team{number}/${{aws:username}}",
        },
        {
            "Effect": "Deny",
            "Action": "iam:*",
            "Resource": f"arn:aws:iam::*:user/team{number}/*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        },
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def attach_twenty(home: House) -> None:
    home.call("iam:CreateGroup", GroupName="team")
    home.call("iam:AddUserToGroup", GroupName="team", UserName="Richard")
    for number in range(2 * MANAGED):
        policy = home.call("iam:CreatePolicy", PolicyName=f"policy-{number}", PolicyDocument=managed_document(number)).policy
        if number < MANAGED:
            home.call("iam:AttachUserPolicy", UserName="Richard", PolicyArn=policy.arn)
        else:
            home.call("iam:AttachGroupPolicy", GroupName="team", PolicyArn=policy.arn)


def policies_of(home: House, principal: Principal) -> Policies:
    return home.service.store.read(lambda tx: PolicyCache().of(tx, principal))


def main() -> None:
    context = {"aws:username": ("Richard",), "aws:sourceip": ("192.0.2.7",), "aws:userid": ("AIDARICHARD",)}
    allowed = AccessRequest("iam:ListMFADevices", OWN, context)
    denied = AccessRequest("iam:ListUsers", f"arn:aws:iam::{ACCOUNT}:user/", context)
    nothing = AccessRequest("iam:CreateAccessKey", OWN, {**context, "aws:multifactorauthpresent": ("true",)})
    with tempfile.TemporaryDirectory() as folder, house(Path(folder)) as home:
        richard = home.user("Richard")
        home.call("iam:PutUserPolicy", UserName="Richard", PolicyName="seed", PolicyDocument=POLICY)
        asking = signed(home, keys_of(home, "Richard"), "iam:ListMFADevices")
        for heading in ("the guide's policy", f"the guide's and {2 * MANAGED} policies of three statements"):
            if heading != "the guide's policy":
                attach_twenty(home)
            policies = policies_of(home, richard)
            compiling = cpu(lambda: policies_of(home, richard), times=20)
            request = cpu(lambda: home.service.gate.run(asking), times=100)
            print(
                f"{heading}: compiled in {compiling * 1e6:,.0f} µs, reading them from the database included;"
                f" a signed request takes {request * 1e6:,.0f} µs of CPU in the gate"
            )
            for what, asked in (("allowed", allowed), ("explicit deny", denied), ("implicit deny", nothing)):
                assert decide(policies, asked).allowed is (what == "allowed")
                seconds = cpu(lambda: decide(policies, asked), times=5000)  # noqa: B023 - called at once
                share = f"{seconds / request:.1%} of the request"
                print(f"  {what:<14} {1 / seconds:>10,.0f} evaluations/s, {seconds * 1e6:6.1f} µs: {share}")


if __name__ == "__main__":
    main()
