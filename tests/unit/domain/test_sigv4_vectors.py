"""Published signatures come out the same here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from instep.domain.sigv4 import (
    HTTPRequest,
    Signature,
    canonical_request,
    check_scope,
    check_signature,
    check_time,
    read_signature,
)
from instep.domain.sigv4_canonical import signing_key

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "sigv4.json").read_text(encoding="utf-8"))
EXAMPLE = VECTORS["iam_example"]
NOON = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


def as_received(text: str) -> str:
    """One character per byte of its UTF-8."""
    return text.encode().decode("latin-1")


def request_of(vector: dict[str, Any], service: str) -> HTTPRequest:
    headers = [(name, as_received(value)) for name, value in vector.get("headers", [])]
    for name, value in (("host", "example.amazonaws.com"), ("x-amz-date", VECTORS["timestamp"])):
        if name not in dict(headers):
            headers.append((name, value))
    scope = f"{VECTORS['access_key_id']}/20150830/{VECTORS['region']}/{service}/aws4_request"
    signed = ";".join(sorted({name for name, _ in headers}))
    authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={signed}, Signature={vector['signature']}"
    return HTTPRequest(
        method=vector.get("method", "GET"),
        path=as_received(vector.get("path", "/")),
        query=as_received(vector.get("query", "")),
        headers=(*headers, ("authorization", authorization)),
        body=vector.get("body", "").encode(),
    )


def verified(request: HTTPRequest, service: str) -> Signature:
    signature = read_signature(request)
    check_scope(signature, [service])
    check_time(signature, NOON)
    check_signature(signature, request, VECTORS["secret_access_key"])
    return signature


def test_the_iam_example_of_the_general_reference_verifies() -> None:
    request = request_of(EXAMPLE, "iam")

    signature = verified(request, "iam")

    assert sha256(canonical_request(request, signature)).hexdigest() == EXAMPLE["canonical_request_sha256"]
    assert signature.access_key_id == "AKIDEXAMPLE"
    assert signature.timestamp == NOON


def test_the_signing_key_of_the_general_reference_comes_out_the_same() -> None:
    key = signing_key(VECTORS["secret_access_key"], "20150830", "us-east-1", "iam", "aws4_request")

    assert key.hex() == EXAMPLE["signing_key"]


@pytest.mark.parametrize("vector", VECTORS["test_suite"], ids=lambda vector: vector["name"])
def test_the_requests_of_the_test_suite_verify(vector: dict[str, Any]) -> None:
    verified(request_of(vector, "service"), "service")
