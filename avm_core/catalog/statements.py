"""Where SQL text lives: the folder `sql/`, one statement per file, its path is its name.

A line `-- include NAME` stands for the text of another file of the section, a subquery that
several statements ask.
"""

from __future__ import annotations

import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from avm_core.errors import BadSettings

_INCLUDE = re.compile(r"^ *-- include (\S+)$", re.MULTILINE)


@cache
def sql_root() -> Path:
    """The folder `sql`: beside the package in a checkout, `avm_core/_sql` in a wheel."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_sql", package.parent / "sql"):
        if (folder / "migrations").is_dir():
            return folder
    raise BadSettings(f"no SQL found beside {package}; reinstall avm or run it from a checkout")


def names(section: str) -> list[str]:
    """Names below `sql/<section>`, sorted, without the suffix: `media/ids`."""
    folder = sql_root() / section
    return sorted(p.relative_to(folder).with_suffix("").as_posix() for p in folder.rglob("*.sql"))


@cache
def load(name: str, section: str = "statements") -> str:
    """The text of `sql/<section>/<name>.sql`; raises `BadSettings` for an unknown name."""
    if name not in names(section):
        raise BadSettings(f"no sql/{section}/{name}.sql; there are {', '.join(names(section))}")
    text = (sql_root() / section / f"{name}.sql").read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda found: load(found[1], section).rstrip(), text)


@cache
def view_over(view: str, table: str, rows: str) -> str:
    """The query of a view with `rows`, which have the columns of `table`, in the place of `table`.

    A condition on what a view joins is applied after its joins, which takes as long for a few
    rows as for all.
    """
    query = load(view, "views").partition(f"VIEW {view} AS")[2]
    return re.sub(rf"\bFROM {table}\b", f"FROM {rows}", query)


@cache
def replacements(table: str) -> tuple[str, ...]:
    """Texts of `sql/statements/<table>/replace_*.sql` in the order of their names."""
    prefix = f"{table}/replace_"
    return tuple(load(name) for name in names("statements") if name.startswith(prefix))


@cache
def views() -> tuple[str, ...]:
    """Names of the views, each after those that it reads."""
    every = names("views")
    reads = {
        name: {other for other in every if other != name and _reads(load(name, "views"), other)}
        for name in every
    }
    return tuple(TopologicalSorter(reads).static_order())


def _reads(text: str, view: str) -> bool:
    return re.search(rf"\b(FROM|JOIN)\s+{view}\b", text) is not None
