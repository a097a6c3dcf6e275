"""A unit of staged work: which rows wait in which objects, and what they were made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from avm_core.errors import BadSettings

# Tables of each kind in the order in which they are replaced: `match` is cleared by what
# match_scan says, and `media` described by what media_metadata said before, so these come first.
KINDS: dict[str, tuple[str, ...]] = {
    "media": ("metadata_file", "media", "media_metadata"),
    "retry": ("media_content", "media_error"),
    "fingerprint": ("media_content", "media_fingerprint", "media_error", "unit_cost"),
    "index": ("index_snapshot", "index_entry"),
    "exclusion": ("exclusion", "match_scan"),
    "forward": ("match", "match_scan", "unit_cost"),
    "reverse": ("match", "match_scan", "unit_cost"),
    "evaluation": ("evaluation", "evaluation_metric"),
    "decision": ("decision",),
    "policy": ("policy", "policy_rule", "policy_value"),
    "removal": ("removal",),
}


@dataclass(frozen=True, slots=True)
class StagedUnit:
    """Rows of one unit of work, staged as Parquet objects.

    `tables` maps a table to the URI of its object; a table that is not named has no rows.
    A unit with the same `unit_id` and `input_digest` is committed once. Raises `BadSettings`
    for an unknown kind or a table that the kind does not write.
    """

    unit_id: str
    kind: str
    input_digest: str
    tables: dict[str, str]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadSettings(f"unit kind {self.kind!r} is none of {', '.join(KINDS)}")
        foreign = sorted(set(self.tables) - set(KINDS[self.kind]))
        if foreign:
            raise BadSettings(f"a {self.kind} unit does not write {', '.join(foreign)}")

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able dict, the inverse of `from_dict`."""
        return {
            "unit_id": self.unit_id,
            "kind": self.kind,
            "input_digest": self.input_digest,
            "tables": dict(self.tables),
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> StagedUnit:
        """Rebuild a unit; raises `BadSettings` if a field is missing."""
        try:
            return cls(
                unit_id=str(value["unit_id"]),
                kind=str(value["kind"]),
                input_digest=str(value["input_digest"]),
                tables={str(k): str(v) for k, v in dict(value["tables"]).items()},
            )
        except KeyError as error:
            raise BadSettings(f"staged unit lacks {error}") from error
