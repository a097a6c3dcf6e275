"""Claims of a test catalog, and decisions and policies put into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avm_core.catalog import Catalog
from avm_core.config import CatalogConfig
from tests.avm_core.catalog.builders import DAY, commit

Claim = dict[str, Any]


def decision(match: Claim, verdict: str, *, number: int = 1, **more: Any) -> dict[str, Any]:
    """A decision on the row of a match."""
    taken = ("ugc_id", "licensed_id", "ugc_start", "ugc_end", "licensed_start", "licensed_end")
    row = {name: match[name] for name in taken} | {
        "decision_id": f"d{number}",
        "verdict": verdict,
        "note": "",
        "decided_by": "ann",
        "decided_at": DAY.replace(hour=13, minute=number),
        "source": "page",
    }
    return row | more


def read(config: CatalogConfig, text: str) -> list[dict[str, Any]]:
    """Rows of one SELECT, seen by a reader of its own."""
    with Catalog.open(config, read_only=True) as reader:
        return reader.select(text).to_pylist()


def claims(config: CatalogConfig) -> dict[str, Claim]:
    """By the name of the upload and the second where the copy begins: `u1@10`."""
    rows = read(config, "FROM claims")
    found = {f"{row['ugc_id']}@{row['ugc_start']:g}": row for row in rows}
    assert len(found) == len(rows)
    return found


def actions(config: CatalogConfig) -> dict[str, str]:
    return {name: row["action"] for name, row in claims(config).items()}


def save_rules(
    catalog: Catalog, folder: Path, version: int, rules: list[dict[str, Any]], **values: list[str]
) -> None:
    """A policy of the given rules; `values` are of the first one."""
    policy_id = f"p{version}"
    rows = [
        {"policy_id": policy_id, "priority": number, "reason": "because"} | rule
        for number, rule in enumerate(rules, 1)
    ]
    named = [
        {"policy_id": policy_id, "priority": 1, "field": field, "value": value}
        for field, given in values.items()
        for value in given
    ]
    head = {
        "policy_id": policy_id,
        "policy_version": version,
        "saved_by": "ann",
        "saved_at": DAY.replace(minute=version % 60),
        "note": "",
    }
    commit(
        catalog,
        folder,
        {"policy": [head], "policy_rule": rows, "policy_value": named},
        kind="policy",
    )
