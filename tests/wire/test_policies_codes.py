"""One code, one use: at STS, at IAM and by AssumeRole, in whichever order; and what a door learns, the others know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.wire.people import BAD_PAIR, Account, Person, Phone, Refusal, refusal
from tests.wire.policies import PRESENT, allow, assume, document, new_role, not_assumed, restrict, trusting, user_arn

BAD_CODE = Refusal(403, "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ")
NOT_THEIRS = Refusal(
    403,
    "AccessDenied",
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid"
    " and associated with this user.",
)
HALF = Refusal(
    403, "AccessDenied", "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
)


class Holder:
    """A user with a phone, who may resync it and assume a role that wants MFA."""

    def __init__(self, account: Account, role: str) -> None:
        self.account, self.role = account, role
        self.person: Person = account.person()
        self.phone: Phone = account.enabled_phone(self.person.name)
        restrict(account, self.person, document(allow(["sts:AssumeRole", "iam:ResyncMFADevice"])))
        self.sts = account.client_of(self.person, "sts")
        self.iam = account.client_of(self.person, "iam")

    def session(self, code: str) -> Any:
        return self.sts.get_session_token(SerialNumber=self.phone.serial_number, TokenCode=code)

    def assumed(self, code: str) -> Any:
        call = {"RoleArn": self.role, "RoleSessionName": "Session1"}
        return self.sts.assume_role(**call, SerialNumber=self.phone.serial_number, TokenCode=code)

    def resync(self, first: str, second: str) -> Any:
        codes = {"AuthenticationCode1": first, "AuthenticationCode2": second}
        return self.iam.resync_mfa_device(UserName=self.person.name, SerialNumber=self.phone.serial_number, **codes)


@pytest.fixture(scope="module")
def role(account: Account) -> str:
    return new_role(account, trusting(account.account_id, Bool={PRESENT: "true"}), allow("iam:ListUsers"))


@pytest.fixture
def holder(account: Account, role: str) -> Holder:
    return Holder(account, role)


Use = Callable[[Holder, str], Any]
USES: dict[str, Use] = {"GetSessionToken": Holder.session, "AssumeRole": Holder.assumed}


@pytest.mark.parametrize("first", USES.values(), ids=USES)
@pytest.mark.parametrize("second", USES.values(), ids=USES)
def test_a_code_used_at_sts_is_used_there_for_good(holder: Holder, first: Use, second: Use) -> None:
    code = holder.phone.code()
    assert first(holder, code)["Credentials"]

    assert refusal(lambda: second(holder, code)) == BAD_CODE
    assert second(holder, holder.phone.code())["Credentials"]


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_code_used_at_sts_is_no_half_of_a_pair_at_iam(holder: Holder, use: Use) -> None:
    first, second, third, fourth = (holder.phone.code() for _ in range(4))
    use(holder, second)

    assert refusal(holder.resync, first=first, second=second) == BAD_PAIR
    assert refusal(holder.resync, first=second, second=third) == BAD_PAIR
    holder.resync(third, fourth)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_the_codes_of_a_pair_at_iam_are_used_at_sts_too(holder: Holder, use: Use) -> None:
    first, second = holder.phone.code(), holder.phone.code()
    holder.resync(first, second)

    for code in (first, second):
        assert refusal(lambda code=code: use(holder, code)) == BAD_CODE
    assert use(holder, holder.phone.code())["Credentials"]


def test_enabling_uses_its_codes_up_everywhere(account: Account, role: str) -> None:
    holder = Holder(account, role)
    spare = account.phone()
    pair = spare.pair()
    account.iam.enable_mfa_device(UserName=holder.person.name, SerialNumber=spare.serial_number, **pair)

    holder.phone = spare
    for use in USES.values():
        for code in pair.values():
            assert refusal(lambda use=use, code=code: use(holder, code)) == BAD_CODE
    assert holder.assumed(spare.code())["AssumedRoleUser"]["Arn"].endswith("/Session1")


def test_a_code_can_be_used_once_by_any_key_of_its_user(account: Account, holder: Holder) -> None:
    code = holder.phone.code()
    holder.session(code)
    other = account.client_of(account.key_of(holder.person.name), "sts")

    asked = {"RoleArn": holder.role, "RoleSessionName": "Session1", "SerialNumber": holder.phone.serial_number}
    assert refusal(other.assume_role, **asked, TokenCode=code) == BAD_CODE


def test_what_a_resync_teaches_one_door_all_of_them_know(holder: Holder) -> None:
    holder.phone.drift(hours=9)
    for use in USES.values():
        assert refusal(lambda use=use: use(holder, holder.phone.code())) == BAD_CODE

    holder.resync(holder.phone.code(), holder.phone.code())

    for use in USES.values():
        assert use(holder, holder.phone.code())["Credentials"]


def test_assume_role_has_the_three_refusals_of_mfa_to_the_letter(account: Account, holder: Holder) -> None:
    foreign = account.enabled_phone(account.person().name)
    asked = {"RoleArn": holder.role, "RoleSessionName": "Session1"}
    call, code = holder.sts.assume_role, holder.phone.code()
    own_arn = user_arn(account, holder.person.name)

    assert refusal(call, **asked, SerialNumber=holder.phone.serial_number) == HALF
    assert refusal(call, **asked, TokenCode=code) == HALF
    for serial_number in (foreign.serial_number, f"arn:aws:iam::{account.account_id}:mfa/nobody-has-it", own_arn):
        assert refusal(call, **asked, SerialNumber=serial_number, TokenCode=code) == NOT_THEIRS
    assert refusal(call, **asked, SerialNumber=holder.phone.serial_number, TokenCode=foreign.code()) == BAD_CODE
    assert holder.assumed(code)["Credentials"]


def test_who_may_not_assume_a_role_uses_up_no_code_and_learns_nothing_of_it(account: Account, holder: Holder) -> None:
    closed = new_role(account, trusting(user_arn(account, account.admin_name)))
    code, wrong = holder.phone.code(), account.phone().code()
    asked = {"RoleArn": closed, "RoleSessionName": "Session1", "SerialNumber": holder.phone.serial_number}
    refused = not_assumed(user_arn(account, holder.person.name), closed)

    # More often than wrong codes are allowed.
    for _ in range(4):
        assert refusal(holder.sts.assume_role, **asked, TokenCode=wrong) == refused
        assert refusal(holder.sts.assume_role, **asked, TokenCode=code) == refused
    assert holder.session(code)["Credentials"]


def test_a_session_of_the_role_has_the_roles_permissions_and_no_more(account: Account, holder: Holder) -> None:
    answer = holder.assumed(holder.phone.code())
    credentials, assumed = answer["Credentials"], answer["AssumedRoleUser"]
    iam, sts = account.session(credentials, "iam"), account.session(credentials, "sts")
    name = holder.role.rpartition("/")[2]

    assert credentials["AccessKeyId"].startswith("ASIA")
    assert assumed["Arn"] == f"arn:aws:sts::{account.account_id}:assumed-role/{name}/Session1"
    identity = sts.get_caller_identity()
    assert (identity["Arn"], identity["UserId"]) == (assumed["Arn"], assumed["AssumedRoleId"])
    assert iam.list_users()["Users"]
    assert refusal(iam.resync_mfa_device, UserName="x", SerialNumber="a" * 9, **holder.phone.pair()).code == "AccessDenied"
    # MFA opened the session, and says nothing within it.
    assert refusal(sts.assume_role, RoleArn=holder.role, RoleSessionName="Chained").code == "AccessDenied"


def test_a_role_session_lasts_as_long_as_the_role_allows_and_a_chained_one_an_hour(account: Account) -> None:
    long = new_role(account, trusting(account.account_id), allow("sts:AssumeRole"), MaxSessionDuration=7200)
    sts = account.sts()
    chained = account.session(assume(account, sts, long, DurationSeconds=7200), "sts")

    def refused(client: Any, seconds: int) -> Refusal:
        return refusal(client.assume_role, RoleArn=long, RoleSessionName="Session1", DurationSeconds=seconds)

    assert refused(sts, 7201) == Refusal(
        400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    )
    assert refused(chained, 3601) == Refusal(
        400,
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    )
    assert assume(account, chained, long, DurationSeconds=3600)
