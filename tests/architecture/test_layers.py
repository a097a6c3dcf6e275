"""The levels of avm_core, the owners of heavy libraries, and the size of modules, as data."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "avm_core"

# Imports point down only, and packages of one level never import each other.
LEVELS: dict[str, int] = {
    "types": 0,
    "errors": 0,
    "groups": 0,
    "config": 1,
    "media": 2,
    "models": 2,
    "index": 2,
    "match": 2,
    "catalog": 2,
    "storage": 2,
    "evaluate": 2,
    "capacity": 2,
    "fingerprint": 3,
    "pipeline": 4,
    "benchmark": 5,
    "train": 5,
    "cli": 6,
    "commands": 6,
}
# `cli` and `commands` are one program in two places.
SAME_PACKAGE = {frozenset({"cli", "commands"})}

OWNERS: dict[str, set[str]] = {
    "av": {"media"},
    "torch": {"models", "train", "index"},
    "torchaudio": {"models"},
    "timm": {"models"},
    "usearch": {"index"},
    "duckdb": {"catalog"},
    "duckdb_extensions": {"catalog"},
    "boto3": {"storage"},
    "botocore": {"storage"},
    "airflow": set(),
}

MODULES = sorted(CORE.rglob("*.py"))
MAX_LINES = 300
MAX_FUNCTION_LINES = 40


def part_of(path: Path) -> str:
    """The package or top-level module of avm_core that a file belongs to."""
    relative = path.relative_to(CORE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything a module imports, at the top or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield node.module or ""


def violations(part: str, names: Iterator[str]) -> list[str]:
    """What `part` may not import, of `names`."""
    found = []
    for name in names:
        top, _, rest = name.partition(".")
        if top == "avm_core" and rest:
            target = rest.split(".")[0]
            if target == part or frozenset({target, part}) in SAME_PACKAGE:
                continue
            if LEVELS[target] >= LEVELS[part]:
                found.append(f"{part} (L{LEVELS[part]}) imports {target} (L{LEVELS[target]})")
        elif top in OWNERS and part not in OWNERS[top]:
            found.append(f"{part} imports {top}, owned by {sorted(OWNERS[top]) or 'nobody here'}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_keeps_the_rules(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    part = part_of(path)
    if part != "__init__":
        assert violations(part, imports(tree)) == []
    assert ast.get_docstring(tree), "the first line of a module says its job"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= MAX_FUNCTION_LINES
    ]
    assert long == []


def test_every_part_has_a_level() -> None:
    parts = {part_of(path) for path in MODULES} - {"__init__"}
    assert parts <= set(LEVELS)


def test_the_rules_catch_what_they_should() -> None:
    assert violations("match", iter(["avm_core.index.reader"])) != []
    assert violations("types", iter(["avm_core.config"])) != []
    assert violations("pipeline", iter(["duckdb"])) != []
    assert violations("catalog", iter(["airflow.sdk"])) != []
    assert violations("pipeline", iter(["avm_core.match.align", "numpy"])) == []


def test_no_module_shadows_the_standard_library() -> None:
    # Airflow registers plugin files under their bare names; a `types.py` there would break it.
    plugins = [path.stem for path in (ROOT / "plugins").glob("*.py")]
    assert set(plugins) & set(sys.stdlib_module_names) == set()


def test_the_product_does_not_import_the_local_platform() -> None:
    sources = [*MODULES, *(ROOT / "plugins").rglob("*.py"), *(ROOT / "dags").glob("*.py")]
    assert len(sources) > 50
    for path in sources:
        names = imports(ast.parse(path.read_text(encoding="utf-8")))
        assert not [name for name in names if name.split(".")[0] in ("local", "tests")], path
