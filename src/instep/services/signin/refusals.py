"""What a sign-in page may be told, besides AWS's own errors."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from instep.api.common import AWSError
from instep.api.errors import InvalidAuthenticationCode
from instep.domain import totp
from instep.domain.sign_in import PROMPT_FROM

CHALLENGE_OVER: Final = "challenge-over"
"""There was no challenge, or another one, or its time was over before the answer came."""


class AuthenticationFailed(AWSError):
    """Unknown account, unknown name, no password, wrong password: strangers are not told which."""

    code = "AuthenticationFailed"
    status = 403

    def __init__(self) -> None:
        super().__init__("Your authentication information is incorrect. Please try again.")


class PasswordExpired(AWSError):
    """Told to somebody whose password was right: an administrator has to set another."""

    code = "PasswordExpired"
    status = 403

    def __init__(self) -> None:
        super().__init__("The password has expired; only an administrator can set another.", reason="password-expired")


class SessionExpired(AWSError):
    """There is no such session any more, or it has not come that far, or is past it."""

    code = "SessionExpired"
    status = 403

    def __init__(self) -> None:
        super().__init__("The sign-in session has expired.")


class Waiting(AWSError):
    """Too many tries; this one was not looked at.

    `until`: when the next one is, None when that is not known.  `stopped`: not by the device's holder any more, but by an
    administrator's resync.
    """

    code = "TooManyAttempts"
    status = 429

    def __init__(self, until: datetime | None, *, stopped: bool = False) -> None:
        super().__init__("Too many attempts.", reason="waiting")
        self.until = until
        self.stopped = stopped


class CodeRefused(InvalidAuthenticationCode):
    """The code of a sign-in.  The reason `spent` may be told; whether it matches at another time is not even worked out.

    `wrong_codes`: how many in this sign-in, this one included.
    """

    code = InvalidAuthenticationCode.code

    def __init__(self, *, reason: str | None, wrong_codes: int) -> None:
        super().__init__(totp.REFUSAL, reason=reason)
        self.wrong_codes = wrong_codes

    @property
    def prompts_resync(self) -> bool:
        return self.wrong_codes >= PROMPT_FROM


class SecurityKeyNotAccepted(AWSError):
    """What a browser sent of a security key.  `reason`: a `fido.KeyRefusal` or CHALLENGE_OVER; a page may tell it."""

    code = "SecurityKeyNotAccepted"
    status = 403

    def __init__(self, reason: str) -> None:
        super().__init__("The security key was not accepted.", reason=str(reason))
