"""`avm plan`: what a platform of a given load needs, by measured rates."""

from __future__ import annotations

import argparse
from typing import Any

from avm_core.capacity.model import Load, plan
from avm_core.capacity.rates import load_rates
from avm_core.config import load_settings
from avm_core.errors import BadSettings


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """The plan; with `--json` also the load and the rates that it was made from."""
    settings = load_settings()
    rates = load_rates(arguments.rates)
    load = _load(arguments)
    found = plan(load, rates, settings.index, settings.match)
    if not arguments.json:
        return _flat(found)
    used = {name: rate["value"] for name, rate in rates.model_dump().items() if rate}
    return {"load": {name: getattr(load, name) for name in load.__slots__}, "rates": used} | found


def _load(arguments: argparse.Namespace) -> Load:
    given = ("hours_per_day", "library_hours", "retention_days", "publishes_per_day")
    for name in given:
        if getattr(arguments, name) <= 0:
            raise BadSettings(f"--{name.replace('_', '-')} must be above 0")
    if arguments.upload_minutes <= 0 or arguments.night_hours <= 0:
        raise BadSettings("--upload-minutes and --night-hours must be above 0")
    new = arguments.new_library_hours
    return Load(
        hours_per_day=arguments.hours_per_day,
        library_hours=arguments.library_hours,
        retention_days=arguments.retention_days,
        new_library_hours=arguments.library_hours / 1000 if new is None else new,
        upload_minutes=arguments.upload_minutes,
        publishes_per_day=arguments.publishes_per_day,
        night_hours=arguments.night_hours,
        with_video=arguments.modality != "audio",
    )


def _flat(found: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in found.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        elif isinstance(value, float):
            flat[prefix + key] = f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
        else:
            flat[prefix + key] = "not known: no measured rate" if value is None else value
    return flat
