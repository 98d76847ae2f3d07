"""When two keys of tags are one."""

from __future__ import annotations


def tag_key(key: str) -> str:
    """The same text for keys that are the same tag: those that differ in case only.

    Tags are kept, looked for and made into condition keys by this one rule.  With two rules, `ſtatus` would be the tag `status`
    when it is taken away, and another one for the policy that protects it.
    """
    return key.lower()
