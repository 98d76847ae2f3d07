"""Policy documents on their way in and out."""

from __future__ import annotations

from urllib.parse import quote

from instep.api.errors import LimitExceeded
from instep.domain.policy import effort
from instep.domain.policy.reading import DocumentKind, read

_WHITE_SPACE = str.maketrans("", "", " \t\r\n")


def encoded(text: str) -> str:
    """As results carry a document: URL-encoded (RFC 3986 §2.1), which every client undoes."""
    return quote(text, safe="-_.~")


def size(text: str) -> int:
    """In characters, without the white space, which AWS does not count (IAM User Guide, "IAM and AWS STS quotas")."""
    return len(text.translate(_WHITE_SPACE))


def checked(text: str, kind: DocumentKind, *, quota: int, what: str, besides: int = 0) -> str:
    """`text`, once it is known to be a document that can be kept.

    `quota` is in characters without white space.  `what` it is of: the quota's name (`PolicySize`), or for inline policies their
    owner's kind and name (`user Richard`), who has one quota for all of them; `besides` is the size of the owner's others.
    Raises MalformedPolicyDocument, also when it would take too long to evaluate; LimitExceeded when it is too long.
    """
    # First, as it costs next to nothing however long the text is.
    if size(text) + besides > quota:
        if " " in what:
            raise LimitExceeded(f"Maximum policy size of {quota} bytes exceeded for {what}")
        raise LimitExceeded(f"Cannot exceed quota for {what}: {quota}")
    effort.check(read(text, kind))
    return text
