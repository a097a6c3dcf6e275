"""A sweep as data: a grid of settings gives points, each with settings of its own."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from avm_core.config import Settings
from avm_core.errors import BadSettings

# What a point changes: `section.field`, or the name of a fingerprinter, to a value.
Point = dict[str, Any]

_SECTIONS = ("match", "index", "decode")
_NAMES = ("audio_fingerprinter", "video_fingerprinter")
# They shape upkeep, or a search backwards: an evaluation would be the same with any value.
_WITHOUT_EFFECT = frozenset(
    {"index.dead_share", "index.grace_seconds", "index.back_neighbours", "index.device"}
)


def grid_points(grid: Mapping[str, Sequence[Any]]) -> list[Point]:
    """Every combination of the grid's values, the last field changing fastest; [{}] of no grid.

    Raises `BadSettings` for a field without values, or with one of them twice.
    """
    for name, values in grid.items():
        if not isinstance(values, list | tuple) or not values:
            raise BadSettings(f"grid field {name!r}: give a list of values, as [0.4, 0.5]")
        if any(value in values[:at] for at, value in enumerate(values)):
            raise BadSettings(f"grid field {name!r} has a value twice: {list(values)}")
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def with_point(settings: Settings, point: Point) -> Settings:
    """The settings with the point's changes, checked as they are when they are read.

    Raises `BadSettings` that names the field for one that there is not, that has no effect on
    an evaluation, or whose value is wrong.
    """
    changes: dict[str, Any] = {}
    for name, value in point.items():
        section, _, field = name.partition(".")
        if name in _NAMES:
            changes[name] = _name(name, value)
        elif section in _SECTIONS and field:
            current = changes.get(section, getattr(settings, section))
            changes[section] = _changed(current, name, field, value)
        else:
            raise BadSettings(
                f"grid field {name!r} is no setting of an evaluation: use {_sections()}"
            )
    return settings.model_copy(update=changes)


def settings_changed(settings: Settings) -> Point:
    """What of an evaluation's settings differs from the values that AVM comes with."""
    found: Point = {}
    for section in _SECTIONS:
        model: BaseModel = getattr(settings, section)
        for field, info in type(model).model_fields.items():
            name, value = f"{section}.{field}", getattr(model, field)
            if value != info.default and name not in _WITHOUT_EFFECT:
                found[name] = value
    for name in _NAMES:
        if getattr(settings, name) != Settings.model_fields[name].default:
            found[name] = getattr(settings, name)
    return found


def _changed(section: BaseModel, name: str, field: str, value: Any) -> BaseModel:
    fields = type(section).model_fields
    if field not in fields:
        raise BadSettings(f"grid field {name!r} does not exist: choose from {', '.join(fields)}")
    if name in _WITHOUT_EFFECT:
        raise BadSettings(f"grid field {name!r} has no effect on an evaluation: leave it out")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadSettings(f"grid field {name!r}: {value} is not a finite number")
    try:
        # Strict: what a setting from the environment may be, text, is a mistake in a grid.
        return type(section).model_validate(section.model_dump() | {field: value}, strict=True)
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise BadSettings(f"grid field {name!r}, value {value!r}: {problem}") from error


def _name(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise BadSettings(f"grid field {name!r}, value {value!r}: name a fingerprinter")
    return value


def _sections() -> str:
    return ", ".join([*(f"{section}.FIELD" for section in _SECTIONS), *_NAMES])
