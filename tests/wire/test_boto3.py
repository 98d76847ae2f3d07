"""The main job, by boto3: a device is enabled, used, drifts, is put back in step, is used again; and what sessions may do."""

from __future__ import annotations

import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest

from instep.domain.totp import Token
from tests.wire.people import BAD_PAIR, Account, Person, Phone, Refusal, refusal

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
UNKNOWN = Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid.")


def header(answer: dict[str, Any], name: str) -> str:
    return str(answer["ResponseMetadata"]["HTTPHeaders"][name])


def session_token(sts: Any, phone: Phone, code: str | None = None, **parameters: Any) -> dict[str, Any]:
    answer = sts.get_session_token(SerialNumber=phone.serial_number, TokenCode=code or phone.code(), **parameters)
    credentials: dict[str, Any] = answer["Credentials"]
    return credentials


def test_a_device_is_scanned_enabled_used_drifts_is_put_back_in_step_and_used_again(account: Account) -> None:
    person = account.person()
    sts = account.client_of(person, "sts")
    name = account.name("phone")

    made = account.iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
    address = account.scan(made["QRCodePNG"])
    phone = Phone(made["SerialNumber"], Token.from_uri(address), account.secrets)
    who = {"UserName": person.name, "SerialNumber": phone.serial_number}

    enabled = account.iam.enable_mfa_device(**who, **phone.pair())
    assert abs(int(header(enabled, "x-instep-drift-seconds"))) <= 60
    assert session_token(sts, phone)["AccessKeyId"].startswith("ASIA")

    phone.drift(minutes=-20)
    assert refusal(session_token, sts=sts, phone=phone) == BAD_CODE

    put_back = account.iam.resync_mfa_device(**who, **phone.pair())
    assert -1260 <= int(header(put_back, "x-instep-drift-seconds")) <= -1080
    credentials = session_token(sts, phone)

    used = account.session(credentials, "sts").get_caller_identity()
    assert used["Arn"] == f"arn:aws:iam::{account.account_id}:user/{person.name}"
    assert session_token(sts, phone)["AccessKeyId"] != credentials["AccessKeyId"]


def test_the_qr_code_says_what_authenticator_apps_read(account: Account) -> None:
    name = account.name("phone")
    made = account.iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]

    address = urlsplit(account.scan(made["QRCodePNG"]))

    seed = made["Base32StringSeed"].decode("ascii")
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert address.path == f"/instep:{name}@example"
    assert parse_qs(address.query) == {"secret": [seed], "issuer": ["instep"]}
    assert len(seed) == 64
    assert made["SerialNumber"] == f"arn:aws:iam::{account.account_id}:mfa/{name}"
    assert made.keys() == {"SerialNumber", "Base32StringSeed", "QRCodePNG"}


@pytest.mark.parametrize("drift", [{"hours": 9}, {"hours": -23}, {"seconds": 90}, {"minutes": -59}])
def test_an_administrator_puts_any_clock_back_in_step_that_is_off_by_less_than_a_day(
    account: Account, drift: dict[str, float]
) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    phone.drift(**drift)

    account.iam.resync_mfa_device(UserName=person.name, SerialNumber=phone.serial_number, **phone.pair())

    session_token(account.client_of(person, "sts"), phone)


def test_a_phone_whose_clock_is_put_right_works_at_once(account: Account) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    phone.drift(hours=-3)
    account.iam.resync_mfa_device(UserName=person.name, SerialNumber=phone.serial_number, **phone.pair())
    sts = account.client_of(person, "sts")
    session_token(sts, phone)

    phone.drift(seconds=30)

    # Enabling used up the codes of about now, so the phone shows the one after them.
    session_token(sts, phone)


def test_a_code_counts_once_for_whichever_key_and_operation(account: Account) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    code = phone.code()
    session_token(account.client_of(person, "sts"), phone, code)

    again = account.client_of(account.key_of(person.name), "sts")

    assert refusal(session_token, sts=again, phone=phone, code=code) == BAD_CODE


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda first, second, third: (first, first), "gap"),
        (lambda first, second, third: (second, first), "reversed"),
        (lambda first, second, third: (first, third), "gap"),
    ],
    ids=["equal", "reversed", "one apart"],
)
def test_a_pair_that_does_not_follow_one_another_is_refused_and_an_administrator_learns_why(
    account: Account, spoil: Any, reason: str
) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    first, second = spoil(phone.code(), phone.code(), phone.code())

    with pytest.raises(account.iam.exceptions.InvalidAuthenticationCodeException) as raised:
        account.iam.resync_mfa_device(
            UserName=person.name, SerialNumber=phone.serial_number, AuthenticationCode1=first, AuthenticationCode2=second
        )

    assert raised.value.response["Error"]["Message"] == "Authentication code for device is not valid."
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert header(raised.value.response, "x-instep-reason") == reason


def test_a_pair_that_was_used_is_refused_to_another_key_and_repeated_for_the_same_one(account: Account) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    asked = {"UserName": person.name, "SerialNumber": phone.serial_number, **phone.pair()}
    account.iam.resync_mfa_device(**asked)

    repeated = account.iam.resync_mfa_device(**asked)
    another = account.iam.create_access_key()["AccessKey"]
    account.secrets.words.add(another["SecretAccessKey"])
    other_key = account.server.boto("iam", another["AccessKeyId"], another["SecretAccessKey"])
    refused = refusal(other_key.resync_mfa_device, **asked)
    account.iam.delete_access_key(AccessKeyId=another["AccessKeyId"])

    assert abs(int(header(repeated, "x-instep-drift-seconds"))) <= 120
    assert refused == BAD_PAIR
    session_token(account.client_of(person, "sts"), phone)


def test_a_pair_typed_late_still_leaves_the_device_usable(account: Account) -> None:
    person = account.person()
    phone = account.phone()
    phone.drift(seconds=-150)
    pair = phone.pair()
    phone.drift()

    # The phone was right all along; its owner took some minutes to type.
    account.iam.enable_mfa_device(UserName=person.name, SerialNumber=phone.serial_number, **pair)

    session_token(account.client_of(person, "sts"), phone)


def test_the_three_refusals_of_mfa_read_as_aws_writes_them(account: Account) -> None:
    person, stranger = account.person(), account.person()
    phone, foreign = account.enabled_phone(person.name), account.enabled_phone(stranger.name)
    sts = account.client_of(person, "sts")
    unassigned = account.phone()
    nobodys = f"arn:aws:iam::{account.account_id}:mfa/nobody-has-it"
    themselves = f"arn:aws:iam::{account.account_id}:user/{person.name}"
    call = sts.get_session_token

    assert refusal(call, SerialNumber=phone.serial_number) == HALF
    assert refusal(call, TokenCode=phone.code()) == HALF
    for serial_number in (foreign.serial_number, unassigned.serial_number, nobodys, themselves):
        assert refusal(call, SerialNumber=serial_number, TokenCode=foreign.code()) == NOT_THEIRS
    assert refusal(call, SerialNumber=phone.serial_number, TokenCode=foreign.code()) == BAD_CODE


def test_a_session_lasts_as_long_as_asked_and_roots_an_hour_at_most(account: Account, root: Person) -> None:
    person = account.person()
    sts, roots = account.client_of(person, "sts"), account.client_of(root, "sts")

    def lasts(client: Any, **parameters: int) -> timedelta:
        expiration: datetime = client.get_session_token(**parameters)["Credentials"]["Expiration"]
        return expiration - datetime.now(UTC)

    slack = timedelta(seconds=30)
    assert abs(lasts(sts) - timedelta(hours=12)) < slack
    assert abs(lasts(sts, DurationSeconds=900) - timedelta(minutes=15)) < slack
    assert abs(lasts(roots) - timedelta(hours=1)) < slack
    assert abs(lasts(roots, DurationSeconds=129600) - timedelta(hours=1)) < slack
    assert refusal(sts.get_session_token, DurationSeconds=129601) == Refusal(
        400,
        "ValidationError",
        "1 validation error detected: Value '129601' at 'durationSeconds' failed to satisfy constraint:"
        " Member must have value less than or equal to 129600",
    )


def test_a_session_with_mfa_reaches_iam_and_one_without_does_not(account: Account, root: Person) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    sts = account.client_of(person, "sts")
    with_mfa, without = session_token(sts, phone), sts.get_session_token()["Credentials"]

    asked = {"UserName": person.name}
    assert refusal(account.session(with_mfa, "iam").list_mfa_devices, **asked) == Refusal(
        403,
        "AccessDenied",
        f"User: arn:aws:iam::{account.account_id}:user/{person.name} is not authorized to perform: iam:ListMFADevices"
        f" on resource: arn:aws:iam::{account.account_id}:user/{person.name}"
        " because no identity-based policy allows the iam:ListMFADevices action",
    )
    # Without a full stop, as AWS prints it here.
    no_mfa = Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid")
    assert refusal(account.session(without, "iam").list_mfa_devices, **asked) == no_mfa
    roots = account.client_of(root, "sts").get_session_token()["Credentials"]
    assert refusal(account.session(roots, "iam").list_users) == no_mfa
    for credentials in (with_mfa, without):
        session = account.session(credentials, "sts")
        assert session.get_caller_identity()["UserId"].startswith("AIDA")
        assert refusal(session.get_session_token) == Refusal(
            403, "AccessDenied", "Cannot call GetSessionToken with session credentials"
        )


def test_a_session_token_is_good_only_with_its_own_key_and_user(account: Account) -> None:
    person = account.person()
    first, second = (account.client_of(person, "sts").get_session_token()["Credentials"] for _ in range(2))
    account.secrets.words |= {one[name] for one in (first, second) for name in ("SecretAccessKey", "SessionToken")}

    def identity(key: dict[str, Any], token: str | None) -> Any:
        return account.server.boto("sts", key["AccessKeyId"], key["SecretAccessKey"], token).get_caller_identity

    half = len(first["SessionToken"]) // 2
    swapped = "B" if first["SessionToken"][half] == "A" else "A"
    spoilt = first["SessionToken"][:half] + swapped + first["SessionToken"][half + 1 :]
    for token in (second["SessionToken"], spoilt, "no-token", None):
        assert refusal(identity(first, token)) == UNKNOWN
    assert identity(first, first["SessionToken"])()["Account"] == account.account_id

    account.iam.delete_access_key(UserName=person.name, AccessKeyId=person.access_key_id)
    account.iam.delete_user(UserName=person.name)
    account.iam.create_user(UserName=person.name)
    assert refusal(identity(first, first["SessionToken"])) == UNKNOWN


@pytest.mark.parametrize("region", ["ap-northeast-1", "eu-central-1", "aws-global"])
def test_a_client_signs_with_whatever_region_it_has(account: Account, region: str) -> None:
    person = account.person()
    key = account.access_key_id, account.secret_access_key

    assert account.client_of(person, "sts", region=region).get_caller_identity()["UserId"].startswith("AIDA")
    assert account.server.boto("iam", *key, region=region).get_user(UserName=person.name)["User"]["UserName"] == person.name


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_presigned_address_tells_who_signed_it_to_any_http_client(account: Account, method: str) -> None:
    person = account.person()
    url = account.client_of(person, "sts").generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod=method)
    body = None if method == "GET" else b""

    with urllib.request.urlopen(url, body, timeout=60) as answer:
        document = ET.fromstring(answer.read())
    space = "{https://sts.amazonaws.com/doc/2011-06-15/}"
    arn = f"arn:aws:iam::{account.account_id}:user/{person.name}"
    assert document.findtext(f"{space}GetCallerIdentityResult/{space}Arn") == arn

    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"), body, timeout=60)
    with raised.value as refused:
        assert refused.code == 403
        assert b"<Code>SignatureDoesNotMatch</Code>" in refused.read()
