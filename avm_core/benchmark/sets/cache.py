"""Made files that are made once: kept while recipe, sources and the making code are the same."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import avm_core.benchmark.edits
import avm_core.media


def recipe_digest(*parts: object) -> str:
    """Changes with any value in `parts`, with any byte of a file they name, with the class of
    any dataclass in them, and with the code that cuts, edits and encodes."""
    text = json.dumps([_plain(part) for part in parts] + [_code()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def make_once(path: Path, digest: str, make: Callable[[Path], Any]) -> Any:
    """`make(partial)` writes the file and returns a JSON-able record; the record comes back.

    Nothing is made where `path` is there under the same digest. A killed run leaves no file
    that looks finished.
    """
    record = path.parent / ".made" / f"{path.name}.json"
    if path.is_file() and record.is_file():
        kept = json.loads(record.read_text(encoding="utf-8"))
        if kept["digest"] == digest:
            return kept["record"]
    record.parent.mkdir(parents=True, exist_ok=True)
    record.unlink(missing_ok=True)
    partial = path.with_name(f".partial-{path.name}")
    made = make(partial)
    partial.replace(path)
    record.write_text(json.dumps({"digest": digest, "record": made}), encoding="utf-8")
    return made


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        values = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return [type(value).__name__, values]
    if isinstance(value, Path):
        state = value.stat()
        return _file_digest(value, state.st_size, state.st_mtime_ns)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Fraction):
        return str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"a recipe holds {type(value).__name__}: say here how it is hashed")


@functools.lru_cache(maxsize=4096)
def _file_digest(path: Path, size: int, modified_ns: int) -> str:
    del size, modified_ns  # part of the cache's key only
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.cache
def _code() -> str:
    folder = Path(str(avm_core.benchmark.edits.__file__)).parent
    media = Path(str(avm_core.media.__file__)).parent
    modules = [*sorted(folder.glob("*.py")), *(media / f"{n}.py" for n in ("filters", "write"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in modules)).hexdigest()
