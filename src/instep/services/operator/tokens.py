"""ImportTokens: hardware tokens, as their vendor delivers them, into an account's inventory."""

from __future__ import annotations

from instep.api.errors import InvalidInput
from instep.domain import ids, token_file
from instep.domain.drift import Tracking
from instep.domain.mfa import DeviceKind, MFADevice
from instep.domain.token_file import Row
from instep.domain.totp import Token
from instep.services.operation import Call, Resource, operation
from instep.services.operator.model import ImportTokensRequest, ImportTokensResponse
from instep.services.seeds import sealed_in


class ImportRefused(InvalidInput):
    """All or nothing: with one bad row, none is imported.  `rows` is the report, row by row."""

    def __init__(self, message: str, rows: list[Row]) -> None:
        super().__init__(message)
        self.rows = rows


def _on_inventory(call: Call, request: ImportTokensRequest) -> Resource:
    return Resource(f"arn:aws:iam::{call.account_id}:mfa/")


def _rows(call: Call, request: ImportTokensRequest) -> list[Row]:
    return token_file.read(request.csv)


@operation("instep:ImportTokens", on=_on_inventory, writes=True, prepare=_rows)
def import_tokens(call: Call, request: ImportTokensRequest) -> ImportTokensResponse:
    rows: list[Row] = call.prepared
    if not rows:
        raise ImportRefused("The file holds no token. Expected one row for each: serial,seed,TOTP,digits,period", rows)
    good = [(row, row.token, call.vault.fingerprint(row.token.seed)) for row in rows if row.token is not None]
    serials, fingerprints = call.tx.mfa_devices.taken(
        call.account_id,
        serial_numbers=[row.serial_number for row, _, _ in good],
        fingerprints=[fingerprint for _, _, fingerprint in good],
    )
    problems = {row.line: row for row in rows if row.problem is not None}
    for row, _, fingerprint in good:
        if row.serial_number in serials:
            problem = "a device with this serial number is in the account already"
        elif fingerprint in fingerprints:
            problem = "a device with this seed is in the account already"
        else:
            continue
        problems[row.line] = Row(row.line, row.serial_number, None, problem)
    report = [problems.get(row.line, row) for row in rows]
    if problems:
        raise ImportRefused(f"{len(problems)} of {len(rows)} rows cannot be imported, so none was.", report)
    call.tx.mfa_devices.add_many([_device(call, row.serial_number, token, fingerprint) for row, token, fingerprint in good])
    return ImportTokensResponse(serial_numbers=tuple(row.serial_number for row, _, _ in good))


def _device(call: Call, serial_number: str, token: Token, fingerprint: str) -> MFADevice:
    token_id = ids.token_id(call.random)
    return MFADevice(
        account_id=call.account_id,
        serial_number=serial_number,
        kind=DeviceKind.HARDWARE,
        token_id=token_id,
        sealed_token=call.vault.seal(token.to_bytes(), **sealed_in(token_id)),
        seed_fingerprint=fingerprint,
        created_at=call.now,
        tracking=Tracking.unseen(call.now),
    )
