"""The catalog: rows in DuckLake, their migrations, statements and transactions."""

from avm_core.catalog.catalog import Catalog
from avm_core.catalog.migrate import migrate
from avm_core.catalog.rows import rows_to_parquet
from avm_core.catalog.schema import TABLES
from avm_core.catalog.units import KINDS, StagedUnit

__all__ = ["KINDS", "TABLES", "Catalog", "StagedUnit", "migrate", "rows_to_parquet"]
