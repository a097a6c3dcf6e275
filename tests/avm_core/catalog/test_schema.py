"""The schemas as data say the same as the migrated tables."""

from avm_core.catalog import KINDS, TABLES, Catalog
from avm_core.config import CatalogConfig

DUCKDB_NAMES = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "int32": "INTEGER",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "timestamp[us, tz=UTC]": "TIMESTAMP WITH TIME ZONE",
}


def test_schemas_equal_the_migrated_tables(config: CatalogConfig) -> None:
    with Catalog.open(config, read_only=True) as reader:
        found = reader.select(
            "SELECT table_name, column_name, data_type, is_nullable = 'YES' AS nullable "
            "FROM information_schema.columns JOIN information_schema.tables "
            "USING (table_catalog, table_schema, table_name) "
            "WHERE table_catalog = 'lake' AND table_type = 'BASE TABLE' "
            "ORDER BY table_name, ordinal_position"
        ).to_pylist()
    actual: dict[str, list[tuple[str, str, bool]]] = {}
    for row in found:
        column = (row["column_name"], row["data_type"], row["nullable"])
        actual.setdefault(row["table_name"], []).append(column)
    expected = {
        table: [(f.name, DUCKDB_NAMES[str(f.type)], f.nullable) for f in schema]
        for table, schema in TABLES.items()
    }
    assert actual == expected


def test_every_table_of_a_kind_has_a_schema() -> None:
    assert {table for tables in KINDS.values() for table in tables} <= set(TABLES)
