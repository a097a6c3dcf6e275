"""Policy: what is in force, what a change of it would do, and saving it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from avm_core.errors import BadSettings, CatalogConflict
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.policy_file import Policy, Rule
from avm_core.pipeline.staging import digest, record, stage


def current_policy(platform: Platform) -> tuple[int, Policy]:
    """Version and rules of the policy in force."""
    with platform.catalog() as catalog:
        return _read(catalog.query("policy/current"), catalog.query("policy/current_rules"))


def _read(head: list[dict[str, Any]], rows: list[dict[str, Any]]) -> tuple[int, Policy]:
    if not head:
        raise BadSettings("the catalog holds no policy; run `avm migrate`")
    rules = tuple(Rule.model_validate(row) for row in rows)
    return head[0]["policy_version"], Policy(note=head[0]["note"], rule=rules)


def history(platform: Platform) -> pa.Table:
    """Every saved version, the newest first."""
    with platform.catalog() as catalog:
        return catalog.report("policies")


def dry_run(platform: Platform, policy: Policy) -> pa.Table:
    """What the policy would make of the present matches, before it is saved.

    One row per title, present action, new action and rule: `licensed_id`, `licensed_title`,
    `before`, `after`, `rule`, `matches`, `uploads`.
    """
    rules, values = policy.rows("draft")
    with platform.catalog() as catalog:
        return catalog.judge_draft(rules, values)


def totals(judged: pa.Table) -> pa.Table:
    """Of a dry run: how many matches go from which action to which."""
    grouped = judged.group_by(["before", "after"]).aggregate([("matches", "sum")])
    return grouped.rename_columns(["before", "after", "matches"]).sort_by("before")


def changes(judged: pa.Table) -> pa.Table:
    """Of a dry run: titles with matches whose action would change, most matches first."""
    return judged.filter(pc.not_equal(judged["before"], judged["after"]))


def save_policy(platform: Platform, policy: Policy, *, saved_by: str) -> int:
    """Put a policy in force as the next version and judge every match by it; its version.

    All in one transaction. Raises `CatalogConflict` if somebody else saved one meanwhile.
    """
    with platform.catalog() as catalog:
        head = catalog.query("policy/current")
    version = head[0]["policy_version"] + 1 if head else 1
    saved_at = datetime.now(UTC)
    policy_id = digest(policy.model_dump(), saved_by, saved_at)
    rules, values = policy.rows(policy_id)
    row = {
        "policy_id": policy_id,
        "policy_version": version,
        "saved_by": saved_by,
        "saved_at": saved_at,
        "note": policy.note,
    }
    unit = stage(
        platform,
        kind="policy",
        unit_id=f"policy-{policy_id}",
        input_digest=policy_id,
        tables={"policy": [row], "policy_rule": rules, "policy_value": values},
    )
    record(platform, [unit], message=f"policy {version} by {saved_by}")
    with platform.catalog() as catalog:
        kept = catalog.query("policy/of_version", policy_version=version)
    if kept[0]["policy_id"] != policy_id:
        raise CatalogConflict(
            f"{kept[0]['saved_by']} saved policy {version} a moment before; look at it with "
            "`avm policy show`, then save yours again"
        )
    return version
