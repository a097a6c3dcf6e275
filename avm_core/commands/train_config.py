"""Configurations of training: TOML tables as frozen dataclasses."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from avm_core.errors import BadSettings

C = TypeVar("C")


def read_config(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; raises `BadSettings` if it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(f"cannot read the configuration {path}: {error}") from error


def section(kind: type[C], text: dict[str, Any], name: str) -> C:
    """One table as a frozen dataclass; raises `BadSettings` for a field that it does not have."""
    values = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in text.get(name, {}).items()
    }
    try:
        return kind(**values)
    except TypeError as error:
        raise BadSettings(f"section [{name}] of the configuration: {error}") from error
