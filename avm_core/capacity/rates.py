"""Measured rates: numbers with the command that gave them, from a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from avm_core.errors import BadSettings

_SHIPPED = Path(__file__).with_name("rates.toml")


class Rate(BaseModel):
    """One measured number, its unit, and the command that anyone can run to get theirs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float = Field(gt=0)
    unit: str
    command: str


class Rates(BaseModel):
    """What a worker (two cores) does. `gpu_*` are None until somebody measured them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    audio_x: Rate
    video_x: Rate
    audio_windows_per_hour: Rate
    video_windows_per_hour: Rate
    audio_dims: Rate
    video_dims: Rate
    audio_artefact_mb_per_hour: Rate
    video_artefact_mb_per_hour: Rate
    graph_bytes_per_window: Rate
    entry_bytes: Rate
    adds_per_s: Rate
    graph_queries_per_s: Rate
    scan_pairs_per_s: Rate
    reverse_pairs_per_s: Rate
    align_ms_per_pair: Rate
    commit_ms: Rate
    gpu_video_x: Rate | None = None
    gpu_reverse_pairs_per_s: Rate | None = None


def load_rates(path: str | Path | None = None) -> Rates:
    """The rates that come with AVM, those of `path` put over them. Raises `BadSettings`."""
    values = _read(_SHIPPED)
    if path is not None:
        values |= _read(Path(path))
    try:
        return Rates.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadSettings(f"rates file {path}: {where}: {first['msg']}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(f"rates file {path} cannot be read: {error}") from error
