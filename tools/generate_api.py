"""Writes src/instep/api/{iam,sts,errors}.py from botocore's models and our errata."""

from __future__ import annotations

import argparse
import json
import keyword
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import botocore
from botocore import xform_name

from instep.api import common
from tools.models import API, ROOT, SERVICES, Model, error_class, error_classes, load_models

_SCALARS = {"string": "str", "integer": "int", "boolean": "bool", "timestamp": "datetime", "blob": "bytes"}
# Names that the generated modules use themselves; a shape or member so called would hide them.
_TAKEN_BY_TYPES = {
    "Annotated",
    "IAM",
    "Limits",
    "Mapping",
    "MappingProxyType",
    "OperationModel",
    "STS",
    "ServiceModel",
    "StrEnum",
}
_TAKEN_BY_FIELDS = {"bool", "bytes", "datetime", "field", "int", "str", "tuple", "wire"}


# Names.


def type_name(shape: str) -> str:
    """The Python name of a shape."""
    return shape[0].upper() + shape[1:]


def field_name(member: str) -> str:
    """The Python name of a member."""
    name: str = xform_name(member)
    return name + "_" if keyword.iskeyword(name) else name


def enum_name(value: str) -> str:
    """The Python name of one value of an enum."""
    name = re.sub(r"\W", "_", xform_name(value)).upper()
    return "_" + name if name[0].isdigit() else name


def _no_clash(names: Iterable[str], taken: Iterable[str], where: str) -> None:
    seen = set(taken)
    for name in names:
        if name in seen or not name.isidentifier():
            raise ValueError(f"{where}: the name {name!r} is taken or no identifier")
        seen.add(name)


# Errors.


def _shared_codes() -> set[str]:
    return {value.code for value in vars(common).values() if isinstance(value, type) and hasattr(value, "code")}


def render_errors(models: Mapping[str, Model]) -> str:
    """The text of errors.py."""
    shared = _shared_codes()
    errors = [error for code, error in error_classes(models).items() if code not in shared]
    _no_clash((error.code for error in errors), _TAKEN_BY_TYPES | {"ALL", "AWSError"}, "errors")
    names = sorted({error.code for error in errors} | shared)
    lines = [
        _header(),
        '"""One exception per error code of the AWS IAM and STS service models, and the table of all codes."""',
        "",
        "from collections.abc import Mapping",
        "from types import MappingProxyType",
        "",
        f"from instep.api.common import {', '.join(sorted(shared | {'AWSError'}, key=str.lower))}",
    ]
    for error in errors:
        lines += [
            f"class {error.code}(AWSError):",
            f'    """{" and ".join(error.shapes)}."""',
            "",
            f'    code = "{error.code}"',
            f"    status = {error.status}",
            f'    fault = "{error.fault}"',
            "",
        ]
    entries = ", ".join(f'"{name}": {name}' for name in names)
    lines += [
        f"ALL: Mapping[str, type[AWSError]] = MappingProxyType({{{entries},}})",
        '"""Every error by its code, those that all services share included."""',
    ]
    return "\n".join(lines)


# One service.


class ServiceModule:
    """Writes the module of one service."""

    def __init__(self, service: str, model: Model) -> None:
        self._service = service
        self._model = model
        self._shapes: dict[str, Mapping[str, Any]] = {
            name: shape for name, shape in model["shapes"].items() if not shape.get("exception")
        }
        self._users = self._find_users()
        self._shared_codes = _shared_codes()
        # A shape that is nothing but a string or a number is written as such where it is used.
        self._named = {
            name for name, shape in self._shapes.items() if _limits(shape) or "enum" in shape or shape["type"] not in _SCALARS
        }
        _no_clash(map(type_name, self._named), _TAKEN_BY_TYPES, service)

    def render(self) -> str:
        """The text of the module."""
        full_name = self._model["metadata"]["serviceFullName"]
        return "\n".join(
            [
                _header(),
                f'"""The shapes and operations of {full_name}, version {SERVICES[self._service]}."""',
                "",
                "from __future__ import annotations",
                "",
                *self._standard_imports(),
                "",
                "from instep.api import common, errors" if self._raises_shared() else "from instep.api import errors",
                "from instep.api.shape import Limits, OperationModel, ServiceModel, wire",
                "",
                *self._each(self._scalars(), self._scalar),
                *self._each(self._enums(), self._enum),
                *self._each(self._structures(), self._structure),
                "",
                "# After the structures, as these lines are evaluated at once.",
                *self._each(self._collections(), self._collection),
                "",
                self._service_model(),
            ]
        )

    def _standard_imports(self) -> list[str]:
        lines = {
            "from collections.abc import Mapping": self._has("map"),
            "from dataclasses import dataclass, field": True,
            "from datetime import datetime": self._has("timestamp"),
            "from enum import StrEnum": bool(self._enums()),
            "from types import MappingProxyType": True,
            "from typing import Annotated": True,
        }
        return [line for line, needed in lines.items() if needed]

    def _each(self, names: Iterable[str], write: Callable[[str], str]) -> list[str]:
        return [write(name) for name in names]

    def _has(self, kind: str) -> bool:
        return any(shape["type"] == kind for shape in self._shapes.values())

    def _scalars(self) -> list[str]:
        return sorted(
            (n for n in self._named if self._shapes[n]["type"] in _SCALARS and "enum" not in self._shapes[n]), key=type_name
        )

    def _enums(self) -> list[str]:
        return sorted((n for n in self._named if "enum" in self._shapes[n]), key=type_name)

    def _structures(self) -> list[str]:
        return sorted((n for n in self._named if self._shapes[n]["type"] == "structure"), key=type_name)

    def _collections(self) -> list[str]:
        """Lists and maps, each after those it is made of."""
        waiting = sorted((n for n in self._named if self._shapes[n]["type"] in ("list", "map")), key=type_name)
        ordered: list[str] = []
        while waiting:
            ready = [name for name in waiting if not set(_parts(self._shapes[name])) & set(waiting)]
            if not ready:
                raise ValueError(f"{self._service}: lists and maps that contain one another: {waiting}")
            ordered += ready
            waiting = [name for name in waiting if name not in ready]
        return ordered

    def _type(self, name: str) -> str:
        return type_name(name) if name in self._named else _SCALARS[self._shapes[name]["type"]]

    def _scalar(self, name: str) -> str:
        shape = self._shapes[name]
        return f"{type_name(name)} = Annotated[{_SCALARS[shape['type']]}, {_limits(shape)}]"

    def _enum(self, name: str) -> str:
        values = self._shapes[name]["enum"]
        _no_clash(map(enum_name, values), (), name)
        lines = [f"class {type_name(name)}(StrEnum):", f'    """{self._used_by(name)}"""', ""]
        return "\n".join(
            lines + [f"    {enum_name(value)} = {json.dumps(value)}{_noqa(enum_name(value))}" for value in values] + [""]
        )

    def _collection(self, name: str) -> str:
        shape = self._shapes[name]
        if shape["type"] == "list":
            hint = f"tuple[{self._type(shape['member']['shape'])}, ...]"
        else:
            # A key of an enum stays a plain string: the table may hold keys that the model does not know yet.
            key = shape["key"]["shape"]
            hint = f"Mapping[{'str' if 'enum' in self._shapes[key] else self._type(key)}, {self._type(shape['value']['shape'])}]"
        limits = _limits(shape)
        return f"{type_name(name)} = Annotated[{hint}, {limits}]" if limits else f"{type_name(name)} = {hint}"

    def _structure(self, name: str) -> str:
        shape = self._shapes[name]
        _no_clash(map(field_name, shape["members"]), _TAKEN_BY_FIELDS, name)
        lines = [
            "@dataclass(frozen=True, slots=True, kw_only=True)",
            f"class {type_name(name)}:",
            f'    """{self._used_by(name)}"""',
            "",
        ]
        for member, target in shape["members"].items():
            hint = self._type(target["shape"])
            required = member in shape.get("required", ())
            arguments = ["" if required else "default=None", f'metadata=wire("{member}")']
            if self._shapes[target["shape"]].get("sensitive"):
                arguments.append("repr=False")
            optional = "" if required else " | None"
            lines.append(f"    {field_name(member)}: {hint}{optional} = field({', '.join(filter(None, arguments))})")
        return "\n".join([*lines, ""])

    def _find_users(self) -> dict[str, list[str]]:
        """Which operations each shape is part of, by the shape's name."""
        users: dict[str, list[str]] = {}
        for operation, description in self._model["operations"].items():
            reached: set[str] = set()
            waiting = [description[side]["shape"] for side in ("input", "output") if side in description]
            while waiting:
                name = waiting.pop()
                if name not in reached:
                    reached.add(name)
                    waiting += _parts(self._shapes[name])
            for name in reached:
                users.setdefault(name, []).append(operation)
        return users

    def _used_by(self, name: str) -> str:
        for operation, description in self._model["operations"].items():
            for side, words in (("input", "Input"), ("output", "Result")):
                if description.get(side, {}).get("shape") == name and len(self._users[name]) == 1:
                    return f"{words} of {operation}."
        users = sorted(self._users.get(name, ()))
        if len(users) > 3:
            return f"Part of {', '.join(users[:2])} and {len(users) - 2} more operations."
        return (
            f"Part of {', '.join(users[:-1])} and {users[-1]}."
            if len(users) > 1
            else f"Part of {users[0] if users else 'no operation'}."
        )

    def _raises_shared(self) -> bool:
        return any("common." in self._errors(operation) for operation in self._model["operations"].values())

    def _errors(self, operation: Mapping[str, Any]) -> str:
        codes = [error_class(e["shape"], self._model["shapes"][e["shape"]]).code for e in operation.get("errors", ())]
        return "".join(f"{'common' if code in self._shared_codes else 'errors'}.{code}, " for code in codes)

    def _service_model(self) -> str:
        lines = [
            f"{self._service.upper()} = ServiceModel(",
            f'    name="{self._service}",',
            f'    version="{SERVICES[self._service]}",',
            f'    namespace="{self._model["metadata"]["xmlNamespace"]}",',
            "    operations=MappingProxyType({",
        ]
        for name, operation in sorted(self._model["operations"].items()):
            sides = [self._type(operation[side]["shape"]) if side in operation else "None" for side in ("input", "output")]
            arguments = f'name="{name}", input={sides[0]}, output={sides[1]}, errors=({self._errors(operation)})'
            lines.append(f'        "{name}": OperationModel({arguments}),')
        return "\n".join([*lines, "    }),", ")", ""])


def _parts(shape: Mapping[str, Any]) -> list[str]:
    """The names of the shapes that `shape` is directly made of."""
    parts = [target["shape"] for target in shape.get("members", {}).values()]
    return parts + [shape[side]["shape"] for side in ("member", "key", "value") if side in shape]


def _limits(shape: Mapping[str, Any]) -> str:
    """The `Limits(…)` of a shape, or an empty text where the model sets none."""
    given = [f"{key}={shape[key]}" for key in ("min", "max") if key in shape]
    if "pattern" in shape:
        given.append(f"pattern={_raw(shape['pattern'])}")
    if "sentence" in shape:
        given.append(f"sentence={_wrapped(shape['sentence'])}")
    if shape.get("sensitive"):
        given.append("sensitive=True")
    return f"Limits({', '.join(given)})" if given else ""


def _raw(pattern: str) -> str:
    return f'r"{pattern}"' if '"' not in pattern and not pattern.endswith("\\") else repr(pattern)


def _wrapped(text: str) -> str:
    """The literal of a text, one line a sentence."""
    return "\n".join(json.dumps(part) for part in re.split(r"(?<=[.] )", text))


def _noqa(name: str) -> str:
    # The linter takes such names for hard-coded secrets.
    return "  # noqa: S105" if re.search(r"(^|_)(PASSWORD|TOKEN|SECRET)(_|$)", name) else ""


def _header() -> str:
    return (
        f"# Generated by `python -m tools.generate_api` from botocore {botocore.__version__} and errata.json.\n"
        "# Change errata.json or the tool, never this file."
    )


# Files.


def render() -> dict[Path, str]:
    """The text of every generated file, by path."""
    models = load_models()
    texts = {API / f"{service}.py": ServiceModule(service, model).render() for service, model in models.items()}
    texts[API / "errors.py"] = render_errors(models)
    return {path: _formatted(text, path) for path, text in texts.items()}


def _formatted(text: str, path: Path) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(path), "-"]
    done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", cwd=ROOT, check=False)
    if done.returncode:
        raise ValueError(f"ruff cannot format {path.name}: {done.stderr}")
    return done.stdout


def stale(texts: Mapping[Path, str]) -> list[Path]:
    """The files that differ from what would be written."""
    return [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files; with --check, only say which differ, and answer 1 if any does."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate_api", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not current")
    options = parser.parse_args(arguments)
    texts = render()
    outdated = stale(texts)
    for path in outdated:
        if options.check:
            print(
                f"{path.relative_to(ROOT)} is not what botocore {botocore.__version__} and errata.json give: run `make api`",
                file=sys.stderr,
            )
        else:
            path.write_text(texts[path], encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if options.check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
