"""The vendor's service models, with our errata applied, and what they say about errors."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

ROOT = Path(__file__).resolve().parent.parent
API = ROOT / "src" / "instep" / "api"
SERVICES = {"iam": "2010-05-08", "sts": "2011-06-15"}

Model = dict[str, Any]


def load_models() -> dict[str, Model]:
    """The vendor's service models by service name, with our errata applied."""
    loader = Loader()
    models: dict[str, Model] = {
        service: copy.deepcopy(loader.load_service_model(service, "service-2", version)) for service, version in SERVICES.items()
    }
    for erratum in json.loads((API / "errata.json").read_text(encoding="utf-8")):
        for change in erratum["patch"]:
            apply_change(models[erratum["service"]], change)
    return models


def apply_change(document: Model, change: Mapping[str, Any]) -> None:
    """Apply one JSON patch (RFC 6902): `add`, `remove`, `replace`, `test`, or our own `order`, which puts named members first.

    Raises ValueError where the patch does not fit the document, as happens when the vendor has mended what an erratum mends.
    """
    parent: Any = document
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in change["path"].split("/")[1:]]
    misfit = ValueError(f"errata.json: {change['op']} {change['path']} does not fit the vendor's model")
    for part in way:
        if part not in parent:
            raise misfit
        parent = parent[part]
    present = last in parent
    match change["op"]:
        case "add" if not present:
            parent[last] = change["value"]
        case "remove" if present:
            del parent[last]
        case "replace" if present:
            parent[last] = change["value"]
        case "test" if present and parent[last] == change["value"]:
            pass
        case "order" if present and set(change["value"]) <= set(parent[last]):
            first, members = change["value"], parent[last]
            parent[last] = {name: members[name] for name in [*first, *(name for name in members if name not in first)]}
        case _:
            raise misfit


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """One error code of the models; `shapes` says which shapes of which services bear it."""

    code: str
    status: int
    fault: str
    shapes: list[str] = field(default_factory=list, compare=False)


def error_class(name: str, shape: Mapping[str, Any]) -> ErrorClass:
    """The error of one exception shape.  Without error traits its code is its own name, it is a sender's fault, status 400."""
    traits = shape.get("error", {})
    status = traits.get("httpStatusCode", 400)
    sender = traits.get("senderFault", status < 500)
    return ErrorClass(traits.get("code", name), status, "Sender" if sender else "Receiver")


def error_classes(models: Mapping[str, Model]) -> dict[str, ErrorClass]:
    """The errors of all models by code.  Raises ValueError where two models contradict each other."""
    found: dict[str, ErrorClass] = {}
    for service, model in models.items():
        for name, shape in model["shapes"].items():
            if not shape.get("exception"):
                continue
            error = error_class(name, shape)
            kept = found.setdefault(error.code, error)
            if kept != error:
                raise ValueError(f"the models contradict each other about {error.code}")
            kept.shapes.append(f"{service.upper()}'s {name}")
    return dict(sorted(found.items()))
