"""What a password must be like: the account's password policy, and the rules where there is none.

(IAM User Guide, "Set an account password policy for IAM users".)  The longest password is the request's own limit.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from instep.api.errors import PasswordPolicyViolation

LEAST_LENGTH: Final = 6
"""What a password policy that does not say asks for."""

MOST_REMEMBERED: Final = 24
"""Old passwords that the strictest policy asks for."""

REUSED: Final = "Policy constraint violation with password reuse prevention during password change."

_UPPERCASE: Final = "Password should have at least one uppercase letter"
_LOWERCASE: Final = "Password should have at least one lowercase letter"
_NUMBER: Final = "Password should have at least one number"
_SYMBOL: Final = "Password should have at least one symbol"

# Letters and digits of the Latin alphabet only, and the symbols that AWS names.
_CLASSES: Final = {
    _UPPERCASE: frozenset(string.ascii_uppercase),
    _LOWERCASE: frozenset(string.ascii_lowercase),
    _NUMBER: frozenset(string.digits),
    _SYMBOL: frozenset("!@#$%^&*()_+-=[]{}|'"),
}
_DEFAULT_LENGTH: Final = 8
_DEFAULT_CLASSES: Final = 3


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """As UpdateAccountPasswordPolicy sets it; `max_age` in days, `reuse_prevention` in passwords remembered."""

    minimum_length: int = LEAST_LENGTH
    require_symbols: bool = False
    require_numbers: bool = False
    require_uppercase: bool = False
    require_lowercase: bool = False
    users_may_change: bool = False
    max_age: int | None = None
    reuse_prevention: int | None = None
    hard_expiry: bool | None = None


def check_new(password: str, policy: PasswordPolicy | None, *, account_names: Collection[str]) -> None:
    """Raises PasswordPolicyViolation, naming everything that is wrong.

    `account_names` are the account's alias and e-mail address, which the rules of an account without a policy forbid.
    """
    wrong = _against(password, policy) if policy is not None else _against_default(password, account_names)
    sentences = ", ".join(wrong)
    if sentences:
        raise PasswordPolicyViolation(sentences)


def _against(password: str, policy: PasswordPolicy) -> Iterator[str]:
    if len(password) < policy.minimum_length:
        yield f"Password should have a minimum length of {policy.minimum_length}"
    required = {
        _UPPERCASE: policy.require_uppercase,
        _LOWERCASE: policy.require_lowercase,
        _NUMBER: policy.require_numbers,
        _SYMBOL: policy.require_symbols,
    }
    yield from (sentence for sentence in _missing(password) if required[sentence])


def _against_default(password: str, account_names: Collection[str]) -> Iterator[str]:
    if len(password) < _DEFAULT_LENGTH:
        yield f"Password should have a minimum length of {_DEFAULT_LENGTH}"
    missing = _missing(password)
    more = _DEFAULT_CLASSES - (len(_CLASSES) - len(missing))
    if more > 0:
        yield f"Password should meet {more} more of the following requirements: {', '.join(missing)}"
    if password.casefold() in {name.casefold() for name in account_names}:
        yield "Password should not be identical to the AWS account name or email address"


def _missing(password: str) -> list[str]:
    return [sentence for sentence, characters in _CLASSES.items() if characters.isdisjoint(password)]
