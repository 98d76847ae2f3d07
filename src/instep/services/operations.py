"""Importing this registers every operation there is."""

from instep.services.iam import access_keys, account, mfa_devices, users, virtual_mfa_devices
from instep.services.operator import accounts, tokens
from instep.services.sts import caller_identity, session_tokens

__all__ = [
    "access_keys",
    "account",
    "accounts",
    "caller_identity",
    "mfa_devices",
    "session_tokens",
    "tokens",
    "users",
    "virtual_mfa_devices",
]
