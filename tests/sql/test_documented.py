"""docs/views.md and the catalog name the same views and columns, in the same order."""

import re
from pathlib import Path

from avm_core.catalog import Catalog, statements
from avm_core.config import CatalogConfig

PAGE = Path(__file__).resolve().parents[2] / "docs" / "views.md"


def test_every_view_and_column_is_documented(template: CatalogConfig) -> None:
    documented: dict[str, list[str]] = {}
    for section in PAGE.read_text(encoding="utf-8").split("\n### ")[1:]:
        name = section.partition("\n")[0]
        rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE)
        assert all(meaning.strip() for _, meaning in rows), name
        documented[name] = [column for column, _ in rows]
    with Catalog.open(template, read_only=True) as reader:
        present = {v: reader.select(f"FROM {v} LIMIT 0").column_names for v in statements.views()}
    assert documented == present
