"""Virtual and hardware devices from creation to deletion, and who holds them."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import zxingcpp
from PIL import Image

from instep.api.common import AWSError, ValidationError
from instep.api.errors import (
    DeleteConflict,
    EntityAlreadyExists,
    InvalidAuthenticationCode,
    InvalidInput,
    LimitExceeded,
    NoSuchEntity,
)
from instep.domain.identity import Principal
from instep.domain.practice import PracticeDevice
from instep.domain.totp import Algorithm, Token
from instep.services.operator.tokens import ImportRefused
from tests.support.house import ACCOUNT, NOON, OTHER_ACCOUNT, House

SEED = "3132333435363738393031323334353637383930"


def message(error: type[AWSError], home: House, action: str, **parameters: object) -> str:
    with pytest.raises(error) as caught:
        home.call(action, **parameters)
    return caught.value.message


def test_a_new_device_shows_its_seed_once_as_text_and_as_a_code_that_scans(home: House) -> None:
    made = home.call("iam:CreateVirtualMFADevice", VirtualMFADeviceName="RichardsMFA").virtual_mfa_device

    assert made.serial_number == f"arn:aws:iam::{ACCOUNT}:mfa/RichardsMFA"
    assert len(made.base32_string_seed) == 64
    (scanned,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(made.qr_code_png)))
    assert scanned.text.startswith("otpauth://totp/instep:RichardsMFA@example?secret=")
    assert Token.from_uri(scanned.text) == Token.from_base32(made.base32_string_seed.decode())
    assert "period" not in scanned.text
    assert "algorithm" not in scanned.text
    listed = home.call("iam:ListVirtualMFADevices").virtual_mfa_devices
    assert [(device.serial_number, device.base32_string_seed, device.qr_code_png) for device in listed] == [
        (made.serial_number, None, None)
    ]


def test_names_are_taken_ignoring_case(home: House) -> None:
    home.virtual_device("RichardsMFA")

    for name in ("RichardsMFA", "richardsmfa"):
        said = message(EntityAlreadyExists, home, "iam:CreateVirtualMFADevice", VirtualMFADeviceName=name)
        assert said == "MFA device already exists."
    home.virtual_device("RichardsMFA", Path="/other/")


def test_paths_and_names_that_could_not_be_named_again_are_refused(home: House) -> None:
    said = message(ValidationError, home, "iam:CreateVirtualMFADevice", VirtualMFADeviceName="x", Path="nope")
    assert said == (
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters"
        " and/or / characters."
    )
    said = message(ValidationError, home, "iam:CreateVirtualMFADevice", VirtualMFADeviceName="x", Path=f"/{'p' * 511}/")
    assert said == (
        "1 validation error detected: Value at 'path' failed to satisfy constraint:"
        " Member must have length less than or equal to 512"
    )
    said = message(ValidationError, home, "iam:CreateVirtualMFADevice", VirtualMFADeviceName="x" * 227)
    assert said.endswith(
        "Value at 'virtualMFADeviceName' failed to satisfy constraint: Member must have length less than or equal to 226"
    )
    said = message(ValidationError, home, "iam:CreateVirtualMFADevice", VirtualMFADeviceName="x" * 220, Path="/0123456789/")
    assert said.endswith("Member must have length less than or equal to 215")
    assert len(home.virtual_device("x" * 226)[0]) == 256
    home.virtual_device("x", Path="/test//double/")


def test_enabling_assigns_and_deactivating_keeps_the_seed(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    (listed,) = home.call("iam:ListMFADevices", UserName="richard").mfa_devices
    assert (listed.user_name, listed.serial_number, listed.enable_date) == ("Richard", serial_number, NOON)
    (virtual,) = home.call("iam:ListVirtualMFADevices", AssignmentStatus="Assigned").virtual_mfa_devices
    assert virtual.user.user_name == "Richard"

    home.call("iam:DeactivateMFADevice", UserName="Richard", SerialNumber=serial_number)

    assert home.call("iam:ListMFADevices", UserName="Richard").mfa_devices == ()
    assert home.call("iam:ListVirtualMFADevices", AssignmentStatus="Assigned").virtual_mfa_devices == ()
    home.user("Diego")
    with pytest.raises(InvalidAuthenticationCode):  # spent steps belong to the token, whoever holds it
        home.enable("Diego", serial_number, device)
    home.clock.advance(minutes=1)
    home.enable("Diego", serial_number, device)


def test_enabling_checks_user_then_device_then_assignment_then_codes(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    codes = home.pair(device)
    enable = "iam:EnableMFADevice"
    nothing = f"arn:aws:iam::{ACCOUNT}:mfa/nothing"

    said = message(NoSuchEntity, home, enable, UserName="nonexistent-user", SerialNumber=nothing, **codes)
    assert said == "The user with name nonexistent-user cannot be found."
    said = message(NoSuchEntity, home, enable, UserName="Richard", SerialNumber=nothing, **codes)
    assert said == f"MFA Device with serial number {nothing} does not exist."
    said = message(EntityAlreadyExists, home, enable, UserName="Richard", SerialNumber=serial_number, **codes)
    assert said == "MFA Device is already in use."
    spare, phone = home.virtual_device("Spare")
    bad = {"AuthenticationCode1": phone.code(NOON), "AuthenticationCode2": phone.code(NOON)}
    said = message(InvalidAuthenticationCode, home, enable, UserName="Richard", SerialNumber=spare, **bad)
    assert said == "Authentication code for device is not valid."


@pytest.mark.parametrize("code", ["12345", "1234567", "12345a", "１２３４５６", "", " 12345", "12345\n"])
def test_codes_that_are_not_six_ascii_digits_do_not_pass_validation(home: House, code: str) -> None:
    home.user("Richard")
    serial_number, _ = home.virtual_device("RichardsMFA")

    said = message(
        ValidationError,
        home,
        "iam:EnableMFADevice",
        UserName="Richard",
        SerialNumber=serial_number,
        AuthenticationCode1=code,
        AuthenticationCode2="123456",
    )

    assert "Value at 'authenticationCode1' failed to satisfy constraint: Member must" in said


def test_a_user_holds_eight_devices(home: House) -> None:
    home.user("Richard")
    for number in range(8):
        home.enabled_device("Richard", f"device-{number}")
    ninth, device = home.virtual_device("device-8")

    said = message(LimitExceeded, home, "iam:EnableMFADevice", UserName="Richard", SerialNumber=ninth, **home.pair(device))

    assert said == "Cannot exceed quota for MFADevicesPerUser: 8"
    home.user("Diego")
    home.enable("Diego", ninth, device)  # a refusal spends nothing


def test_of_many_enabling_at_once_one_succeeds(home: House) -> None:
    users = [f"user-{number}" for number in range(8)]
    for name in users:
        home.user(name)
    serial_number, device = home.virtual_device("Contested")
    outcomes: list[str] = []

    def enable(name: str) -> None:
        try:
            home.enable(name, serial_number, device)
            outcomes.append("enabled")
        except AWSError as error:
            outcomes.append(error.message)

    threads = [threading.Thread(target=enable, args=(name,)) for name in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["MFA Device is already in use."] * 7 + ["enabled"]


def test_fifty_sessions_at_once_with_one_code_are_one_session(home: House) -> None:
    richard = home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=1)
    code = device.code(home.clock.now)
    outcomes: list[bool] = []

    def ask() -> None:
        try:
            home.session(richard, serial_number, code)
            outcomes.append(True)
        except AWSError:
            outcomes.append(False)

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (outcomes.count(True), len(outcomes)) == (1, 50)


def test_a_device_is_deleted_once_nobody_has_it(home: House) -> None:
    home.user("Richard")
    serial_number, _ = home.enabled_device("Richard", "RichardsMFA")

    said = message(DeleteConflict, home, "iam:DeleteVirtualMFADevice", SerialNumber=serial_number)
    assert said == "MFA VirtualDevice in use. Must deactivate first."
    assert (
        message(DeleteConflict, home, "iam:DeleteUser", UserName="Richard")
        == "Cannot delete entity, must delete MFA device first."
    )

    home.call("iam:DeactivateMFADevice", UserName="Richard", SerialNumber=serial_number)
    home.call("iam:DeleteVirtualMFADevice", SerialNumber=serial_number)

    said = message(NoSuchEntity, home, "iam:DeleteVirtualMFADevice", SerialNumber=serial_number)
    assert said == f"MFA Device with serial number {serial_number} does not exist."
    home.call("iam:DeleteUser", UserName="Richard")


def test_devices_follow_a_renamed_user(home: House) -> None:
    home.user("Richard")
    serial_number, _ = home.enabled_device("Richard", "RichardsMFA")

    home.call("iam:UpdateUser", UserName="Richard", NewUserName="Rick", NewPath="/staff/")

    (listed,) = home.call("iam:ListMFADevices", UserName="Rick").mfa_devices
    assert (listed.user_name, listed.serial_number) == ("Rick", serial_number)


def test_deactivating_names_the_user_who_has_the_device(home: House) -> None:
    home.user("Richard")
    home.user("Diego")
    serial_number, _ = home.enabled_device("Richard", "RichardsMFA")

    for user_name in ("Diego", "nonexistent-user"):
        said = message(NoSuchEntity, home, "iam:DeactivateMFADevice", UserName=user_name, SerialNumber=serial_number)
        assert said in ("MFA Device invalid for user.", "The user with name nonexistent-user cannot be found.")
    said = message(ValidationError, home, "iam:DeactivateMFADevice", SerialNumber=serial_number)
    assert said == "Must specify userName when calling with non-User credentials"


def test_an_unassigned_device_shows_its_serial_number_only(home: House) -> None:
    serial_number, _ = home.virtual_device("Spare")

    shown = home.answer("iam:GetMFADevice", SerialNumber=serial_number)

    assert (shown.result.serial_number, shown.result.user_name, shown.result.enable_date) == (serial_number, None, None)  # type: ignore[union-attr]
    assert shown.headers == {}


def test_lists_go_on_by_marker_and_refuse_strange_ones(home: House) -> None:
    serials = [home.virtual_device(f"device-{number}")[0] for number in range(5)]
    seen: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = home.call("iam:ListVirtualMFADevices", MaxItems="2", **marker)
        seen += [device.serial_number for device in page.virtual_mfa_devices]
        if not page.is_truncated:
            break
        marker = {"Marker": page.marker}

    assert seen == serials
    assert page.marker is None
    for strange in ("x", "AAAA", marker["Marker"][:-4] + "AAAA"):
        assert message(ValidationError, home, "iam:ListVirtualMFADevices", Marker=strange) == "Invalid Marker."
    assert message(ValidationError, home, "iam:ListUsers", Marker=marker["Marker"]) == "Invalid Marker."


def test_markers_of_the_longest_names_and_tags_are_accepted_again(home: House) -> None:
    names = [f"{number}{'x' * 225}" for number in range(3)]
    for name in names:
        home.virtual_device(name)
    first = home.call("iam:ListVirtualMFADevices", MaxItems="1")
    second = home.call("iam:ListVirtualMFADevices", MaxItems="1", Marker=first.marker)
    assert second.virtual_mfa_devices[0].serial_number.endswith(names[1])

    tags = [{"Key": letter * 128, "Value": ""} for letter in "あいう"]
    serial_number, _ = home.virtual_device("Tagged", Tags=tags)
    seen: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = home.call("iam:ListMFADeviceTags", SerialNumber=serial_number, MaxItems="1", **marker)
        seen += [tag.key for tag in page.tags]
        if not page.is_truncated:
            break
        marker = {"Marker": page.marker}
    assert seen == [tag["Key"] for tag in tags]


def test_a_path_that_no_serial_number_may_hold_is_refused(home: House) -> None:
    said = message(ValidationError, home, "iam:CreateVirtualMFADevice", VirtualMFADeviceName="x", Path="/a#b!/")

    assert said.startswith("The specified value for path is invalid.")


def test_right_codes_for_a_ninth_device_are_no_failed_pairs(home: House) -> None:
    home.user("Richard")
    for number in range(8):
        home.enabled_device("Richard", f"device-{number}")
    ninth, device = home.virtual_device("device-8")
    for _ in range(11):
        message(LimitExceeded, home, "iam:EnableMFADevice", UserName="Richard", SerialNumber=ninth, **home.pair(device))

    home.user("Diego")
    home.enable("Diego", ninth, device)


def test_tags_are_added_overwritten_and_removed(home: House) -> None:
    serial_number, _ = home.virtual_device("Spare", Tags=[{"Key": "team", "Value": "a"}])

    home.call("iam:TagMFADevice", SerialNumber=serial_number, Tags=[{"Key": "Team", "Value": "b"}, {"Key": "room", "Value": "c"}])
    home.call("iam:UntagMFADevice", SerialNumber=serial_number, TagKeys=["Room", "absent"])

    (tag,) = home.call("iam:ListMFADeviceTags", SerialNumber=serial_number).tags
    assert (tag.key, tag.value) == ("Team", "b")
    for other in ("k", "K"):
        twice = [{"Key": "k", "Value": "1"}, {"Key": other, "Value": "2"}]
        said = message(InvalidInput, home, "iam:TagMFADevice", SerialNumber=serial_number, Tags=twice)
        assert said == "Duplicate tag keys found."
    fifty = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert "50" in message(LimitExceeded, home, "iam:TagMFADevice", SerialNumber=serial_number, Tags=fifty)


def test_no_call_sees_another_account(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    other = Principal.root(OTHER_ACCOUNT)

    assert [user.user_name for user in home.call("iam:ListUsers", other).users] == ["admin"]
    assert home.call("iam:ListVirtualMFADevices", other).virtual_mfa_devices == ()
    for action in ("iam:GetMFADevice", "iam:DeleteVirtualMFADevice", "iam:ListMFADeviceTags"):
        with pytest.raises(NoSuchEntity):
            home.call(action, other, SerialNumber=serial_number)
    with pytest.raises(NoSuchEntity):
        home.resync("Richard", serial_number, device, other)


class TestHardwareTokens:
    @staticmethod
    def bring(home: House, text: str) -> tuple[str, ...]:
        made = home.call("instep:ImportTokens", Principal.operator(ACCOUNT), Csv=text)
        return tuple(made.serial_numbers)

    def test_an_imported_token_is_enabled_and_resynchronized_by_its_vendors_serial(self, home: House) -> None:
        home.user("Richard")
        assert self.bring(home, f"serial,seed,type,digits,period\nABCD12345678,{SEED},TOTP,6,30\n") == ("ABCD12345678",)
        token = PracticeDevice("fob", Token(b"12345678901234567890"))
        assert home.call("iam:ListVirtualMFADevices").virtual_mfa_devices == ()

        home.enable("Richard", "ABCD12345678", token)
        home.clock.advance(minutes=2)
        home.resync("Richard", "ABCD12345678", token)
        home.call("iam:DeactivateMFADevice", UserName="Richard", SerialNumber="ABCD12345678")

        with pytest.raises(NoSuchEntity):
            home.call("iam:DeleteVirtualMFADevice", SerialNumber="ABCD12345678")

    @pytest.mark.parametrize(
        ("row", "token"),
        [
            (f"GAHT12345678,{SEED},TOTP,6,60", Token(b"12345678901234567890", period=60)),
            ("GAHT12345678,GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ,TOTP,6,30", Token(b"12345678901234567890")),
            (f"GAHT12345678,{SEED},TOTP,6,30,HMAC-SHA-256", Token(b"12345678901234567890", Algorithm.SHA256)),
            (f"GAHT12345678,{SEED},TOTP,6,30,sha512", Token(b"12345678901234567890", Algorithm.SHA512)),
        ],
    )
    def test_seeds_algorithms_and_periods_are_read(self, home: House, row: str, token: Token) -> None:
        home.user("Richard")
        self.bring(home, row)
        home.enable("Richard", "GAHT12345678", PracticeDevice("fob", token))

    def test_with_one_bad_row_none_is_imported_and_each_is_reported(self, home: House) -> None:
        self.bring(home, f"TAKEN1234567,{SEED},TOTP,6,30")
        rows = "\n".join(
            (
                "GOOD12345678,00112233445566778899aabbccddeeff,TOTP,6,30",
                f"EIGHT1234567,{SEED},TOTP,8,30",
                f"SLOW12345678,{SEED},TOTP,6,90",
                f"HOTP12345678,{SEED},HOTP,6,30",
                "SHORT1234567,0011,TOTP,6,30",
                "RUBBISH12345,not a seed!,TOTP,6,30",
                "TAKEN1234567,10112233445566778899aabbccddeeff,TOTP,6,30",
                f"SEED12345678,{SEED},TOTP,6,30",
                "GOOD12345678,20112233445566778899aabbccddeeff,TOTP,6,30",
                "FEW,1",
            )
        )

        with pytest.raises(ImportRefused) as caught:
            self.bring(home, rows)

        report = {(row.serial_number, row.line): row.problem for row in caught.value.rows}
        assert report.pop(("GOOD12345678", 1)) is None
        assert len(report) == 9
        assert all(report.values())
        assert SEED not in str(report)
        with pytest.raises(NoSuchEntity):
            home.call("iam:GetMFADevice", SerialNumber="GOOD12345678")

    def test_a_token_enabled_days_off_stays_in_an_administrators_reach(self, home: House) -> None:
        home.user("Richard")
        self.bring(home, f"ABCD12345678,{SEED},TOTP,6,30")
        fast = PracticeDevice("fob", Token(b"12345678901234567890"), timedelta(days=3))
        home.enable("Richard", "ABCD12345678", fast)
        home.clock.advance(minutes=5)

        home.resync("Richard", "ABCD12345678", fast)
        home.clock.advance(minutes=5)
        home.resync("Richard", "ABCD12345678", replace(fast, drift=timedelta(days=3, hours=20)))
        home.call("iam:DeactivateMFADevice", UserName="Richard", SerialNumber="ABCD12345678")
        home.clock.advance(minutes=5)
        home.enable("Richard", "ABCD12345678", fast)

    def test_a_token_out_of_a_drawer_is_found_a_week_off(self, home: House) -> None:
        home.user("Richard")
        self.bring(home, f"ABCD12345678,{SEED},TOTP,6,30")
        step = Token(b"12345678901234567890").time_step(home.clock.now) + 20_000
        code = Token(b"12345678901234567890").code

        home.call(
            "iam:EnableMFADevice",
            UserName="Richard",
            SerialNumber="ABCD12345678",
            AuthenticationCode1=code(step - 1),
            AuthenticationCode2=code(step),
        )
