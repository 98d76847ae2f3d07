"""The account's credential report: made at once, and good for four hours."""

from __future__ import annotations

from instep.api.errors import ReportExpired, ReportNotPresent
from instep.api.iam import (
    GenerateCredentialReportResponse,
    GetCredentialReportResponse,
    ReportFormatType,
    ReportStateType,
)
from instep.domain import credential_report
from instep.domain.credential_report import CredentialReport, Credentials
from instep.domain.identity import User
from instep.services.iam import held_devices
from instep.services.iam.targets import on_everything
from instep.services.operation import Call, operation

_USERS_AT_ONCE = 1000


def _report(call: Call, request: None) -> CredentialReport | None:
    """A new one; None while the last one is current."""
    kept = call.tx.login_profiles.report(call.account_id)
    if kept is not None and kept.is_current(call.now):
        return None
    root = call.tx.accounts.root_of(call.account_id)
    assert root is not None, "every account is made with its root user"
    credentials = Credentials(
        root=root,
        users=_users(call),
        profiles=call.tx.login_profiles.all(call.account_id),
        keys=call.tx.access_keys.all(call.account_id),
        with_mfa=held_devices.holders(call),
        policy=call.tx.accounts.password_policy(call.account_id),
    )
    return credential_report.report(credentials, call.now)


def _users(call: Call) -> list[User]:
    users: list[User] = []
    while True:
        after = users[-1].user_name if users else None
        page = call.tx.users.list(call.account_id, path_prefix="/", after=after, limit=_USERS_AT_ONCE)
        users += page
        if len(page) < _USERS_AT_ONCE:
            return users


@operation("iam:GenerateCredentialReport", on=on_everything, writes=True, prepare=_report)
def generate_credential_report(call: Call, request: None) -> GenerateCredentialReportResponse:
    """Clients ask until it is complete: the second time it is."""
    if call.prepared is None:
        return GenerateCredentialReportResponse(state=ReportStateType.COMPLETE)
    call.tx.login_profiles.keep_report(call.account_id, call.prepared)
    return GenerateCredentialReportResponse(
        state=ReportStateType.STARTED, description="No report exists. Starting a new report generation task"
    )


@operation("iam:GetCredentialReport", on=on_everything, writes=False)
def get_credential_report(call: Call, request: None) -> GetCredentialReportResponse:
    report = call.tx.login_profiles.report(call.account_id)
    if report is None:
        raise ReportNotPresent
    if not report.is_current(call.now):
        raise ReportExpired("The most recent credential report has expired; GenerateCredentialReport makes a new one.")
    return GetCredentialReportResponse(
        content=report.content, report_format=ReportFormatType.TEXT_CSV, generated_time=report.generated_at
    )
