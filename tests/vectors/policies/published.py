"""The policies of the guide in this folder, to the letter."""

from __future__ import annotations

from pathlib import Path


def published(name: str) -> str:
    return (Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8")
