"""Staged units travel as JSON and refuse what no kind writes."""

import json

import pytest

from avm_core.catalog import KINDS, StagedUnit
from avm_core.errors import BadSettings


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_unit_survives_json(kind: str) -> None:
    unit = StagedUnit("u1", kind, "digest", {t: f"s3://lake/{t}" for t in KINDS[kind]})
    assert StagedUnit.from_dict(json.loads(json.dumps(unit.to_dict()))) == unit


def test_an_unknown_kind_or_table_is_refused() -> None:
    with pytest.raises(BadSettings, match="none of"):
        StagedUnit("u1", "films", "digest", {})
    with pytest.raises(BadSettings, match="does not write match"):
        StagedUnit("u1", "media", "digest", {"match": "s3://lake/m"})


def test_a_dict_without_a_field_is_refused() -> None:
    value = StagedUnit("u1", "media", "digest", {}).to_dict()
    del value["input_digest"]
    with pytest.raises(BadSettings, match="input_digest"):
        StagedUnit.from_dict(value)
