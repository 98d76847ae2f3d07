"""The generated contract against the vendor's models, read here once more by other means."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import xform_name

from instep.api import common, errors
from instep.api.common import AWSError
from instep.api.iam import IAM, AccessKey, ResyncMFADeviceRequest, User, VirtualMFADevice
from instep.api.shape import Kind, Member, ServiceModel, Shape, members
from instep.api.sts import STS, AssumeRoleResponse, Credentials, GetCallerIdentityResponse, GetSessionTokenRequest
from tools import generate_api, models

SERVICES: Mapping[str, ServiceModel] = {"iam": IAM, "sts": STS}
VENDOR = models.load_models()
KINDS = {
    "string": Kind.STRING,
    "integer": Kind.INTEGER,
    "boolean": Kind.BOOLEAN,
    "timestamp": Kind.TIMESTAMP,
    "blob": Kind.BLOB,
    "list": Kind.LIST,
    "map": Kind.MAP,
    "structure": Kind.STRUCTURE,
}


def operations() -> list[tuple[str, str]]:
    return [(service, name) for service, model in VENDOR.items() for name in model["operations"]]


def structures() -> Iterator[tuple[str, str, type[Any]]]:
    """Every structure that an operation reaches, with the vendor's name for it."""
    for service, name in operations():
        ours, theirs = SERVICES[service].operations[name], VENDOR[service]["operations"][name]
        for side, structure in (("input", ours.input), ("output", ours.output)):
            if structure is not None:
                yield service, theirs[side]["shape"], structure


def test_the_generated_files_are_what_the_pinned_models_and_the_errata_give() -> None:
    assert generate_api.main(["--check"]) == 0


def test_a_generated_file_that_was_changed_by_hand_is_found() -> None:
    path = models.API / "sts.py"

    assert generate_api.stale({path: path.read_text(encoding="utf-8") + "# by hand\n"}) == [path]


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_of_the_model_is_there_with_its_shapes_and_errors(service: str) -> None:
    ours, theirs = SERVICES[service], VENDOR[service]

    assert ours.version == theirs["metadata"]["apiVersion"]
    assert ours.namespace == theirs["metadata"]["xmlNamespace"]
    assert set(ours.operations) == set(theirs["operations"])
    for name, operation in theirs["operations"].items():
        found = ours.operations[name]
        assert found.name == name
        assert (found.input is None) == ("input" not in operation)
        assert (found.output is None) == ("output" not in operation)
        traits = [(e["shape"], theirs["shapes"][e["shape"]].get("error", {})) for e in operation.get("errors", ())]
        assert [error.code for error in found.errors] == [trait.get("code", shape) for shape, trait in traits]


def test_every_structure_has_the_members_kinds_and_limits_of_the_model() -> None:
    seen: set[type[Any]] = set()
    for service, name, structure in structures():
        compare_structures(VENDOR[service]["shapes"], name, structure, seen)

    assert len(seen) > 300


def compare_structures(shapes: Mapping[str, Any], name: str, structure: type[Any], seen: set[type[Any]]) -> None:
    if structure in seen:
        return
    seen.add(structure)
    found = members(structure)
    assert [member.wire for member in found] == list(shapes[name]["members"])
    assert [member.wire for member in found if member.required] == [
        wire for wire in shapes[name]["members"] if wire in shapes[name].get("required", ())
    ]
    for member in found:
        assert member.name == xform_name(member.wire)
        compare_shapes(shapes, shapes[name]["members"][member.wire]["shape"], member.shape, seen)


def compare_shapes(shapes: Mapping[str, Any], name: str, ours: Shape, seen: set[type[Any]]) -> None:
    theirs = shapes[name]
    assert ours.kind is (Kind.ENUM if "enum" in theirs else KINDS[theirs["type"]])
    if ours.kind is Kind.ENUM:
        assert ours.type is not None
        assert [value.value for value in ours.type] == theirs["enum"]
    elif ours.kind is not Kind.STRUCTURE:
        limits = ours.limits
        assert (limits.min, limits.max, limits.pattern) == (theirs.get("min"), theirs.get("max"), theirs.get("pattern"))
        assert limits.sensitive == theirs.get("sensitive", False)
    if ours.kind is Kind.STRUCTURE:
        assert ours.type is not None
        compare_structures(shapes, name, ours.type, seen)
    if ours.element is not None:
        compare_shapes(shapes, (theirs.get("member") or theirs["value"])["shape"], ours.element, seen)


def test_every_error_class_has_the_status_and_fault_of_the_model() -> None:
    expected: dict[str, tuple[int, str]] = {}
    for model in VENDOR.values():
        for name, shape in model["shapes"].items():
            if shape.get("exception"):
                traits = shape.get("error", {"httpStatusCode": 400, "senderFault": True})
                fault = "Sender" if traits.get("senderFault") else "Receiver"
                expected[traits.get("code", name)] = (traits["httpStatusCode"], fault)

    assert {code: (errors.ALL[code].status, errors.ALL[code].fault) for code in expected} == expected


def test_the_table_of_errors_has_every_class_under_its_code_and_name() -> None:
    by_hand = {value for value in vars(common).values() if isinstance(value, type) and hasattr(value, "code")}

    assert all(code == error.code == error.__name__ for code, error in errors.ALL.items())
    assert by_hand < set(errors.ALL.values())
    assert all(issubclass(error, AWSError) for error in errors.ALL.values())


def test_a_failure_of_the_service_is_the_receivers_fault() -> None:
    assert (errors.ServiceFailure.status, errors.ServiceFailure.fault) == (500, "Receiver")
    assert (errors.InvalidAuthenticationCode.status, errors.InvalidAuthenticationCode.fault) == (403, "Sender")


def test_root_has_neither_path_nor_name_and_its_key_no_user() -> None:
    optional = {member.wire for structure in (User, AccessKey) for member in members(structure) if not member.required}

    assert {"Path", "UserName"} <= optional
    assert not {"UserId", "Arn", "AccessKeyId"} & optional


def test_answers_are_in_the_order_recorded_from_aws() -> None:
    assert [member.wire for member in members(GetCallerIdentityResponse)] == ["Arn", "UserId", "Account"]
    assert [member.wire for member in members(AssumeRoleResponse)][:2] == ["AssumedRoleUser", "Credentials"]


def test_the_arn_of_the_longest_virtual_device_name_is_a_serial_number() -> None:
    request = IAM.operations["CreateVirtualMFADevice"].input
    assert request is not None
    name = named(members(request), "VirtualMFADeviceName").shape.limits
    serial = named(members(ResyncMFADeviceRequest), "SerialNumber").shape.limits

    assert name.max is not None
    assert len("arn:aws:iam::123456789012:mfa/") + name.max == serial.max


def named(found: tuple[Member, ...], wire: str) -> Member:
    return next(member for member in found if member.wire == wire)


def test_no_secret_shows_in_a_repr() -> None:
    shown = repr(
        (
            ResyncMFADeviceRequest(
                user_name="Richard", serial_number="ABCD12345678", authentication_code1="135790", authentication_code2="246801"
            ),
            GetSessionTokenRequest(token_code="135790"),
            VirtualMFADevice(serial_number="s", base32_string_seed=b"SEEDSEED", qr_code_png=b"PICTURE"),
            Credentials(
                access_key_id="ASIA",
                secret_access_key="SECRETKEY",
                session_token="SEALED",
                expiration=datetime(2030, 1, 1, tzinfo=UTC),
            ),
        )
    )

    assert "Richard" in shown
    assert not [secret for secret in ("135790", "246801", "SEEDSEED", "PICTURE", "SECRETKEY", "SEALED") if secret in shown]


def test_the_generated_dataclasses_are_frozen_and_take_names_only() -> None:
    request = GetSessionTokenRequest(serial_number="ABCD12345678")

    with pytest.raises(dataclasses.FrozenInstanceError):
        request.serial_number = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        GetSessionTokenRequest(900)  # type: ignore[call-arg]


def test_every_erratum_gives_its_reason() -> None:
    errata = json.loads((models.API / "errata.json").read_text(encoding="utf-8"))

    assert all(len(erratum["reason"]) > 20 and erratum["patch"] for erratum in errata)


def test_patches_add_remove_replace_and_order() -> None:
    document = {"a": {"x/y": 1, "z": 2, "w": 3}}

    models.apply_change(document, {"op": "add", "path": "/a/new", "value": 4})
    models.apply_change(document, {"op": "replace", "path": "/a/x~1y", "value": 5})
    models.apply_change(document, {"op": "remove", "path": "/a/z"})
    models.apply_change(document, {"op": "test", "path": "/a/w", "value": 3})
    models.apply_change(document, {"op": "order", "path": "/a", "value": ["w"]})

    assert list(document["a"].items()) == [("w", 3), ("x/y", 5), ("new", 4)]


@pytest.mark.parametrize(
    "change",
    [
        {"op": "add", "path": "/a/x", "value": 1},
        {"op": "remove", "path": "/a/y"},
        {"op": "replace", "path": "/b/x", "value": 1},
        {"op": "test", "path": "/a/x", "value": 2},
        {"op": "order", "path": "/a", "value": ["y"]},
        {"op": "copy", "path": "/a/x", "from": "/a"},
    ],
)
def test_an_erratum_that_no_longer_fits_the_model_stops_the_tool(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        models.apply_change({"a": {"x": 1}}, change)


def test_two_models_that_contradict_each_other_about_an_error_stop_the_tool() -> None:
    one, other = (
        {
            "shapes": {
                "GoneException": {"exception": True, "error": {"code": "Gone", "httpStatusCode": status, "senderFault": True}}
            }
        }
        for status in (404, 410)
    )

    with pytest.raises(ValueError, match="Gone"):
        models.error_classes({"iam": one, "sts": other})
