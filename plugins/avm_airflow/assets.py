"""The assets that connect the DAGs: each one says "the catalog knows something new"."""

from __future__ import annotations

from airflow.sdk import Asset

# With any scheme but x-… Airflow imports every provider that knows a scheme, boto3 among them,
# each time that a DAG file is parsed.
MEDIA = Asset(name="avm_media", uri="x-avm://catalog/media", group="avm")
FINGERPRINTS = Asset(name="avm_fingerprints", uri="x-avm://catalog/fingerprints", group="avm")
LICENSED_INDEX = Asset(name="avm_licensed_index", uri="x-avm://index/licensed", group="avm")
UGC_INDEX = Asset(name="avm_ugc_index", uri="x-avm://index/ugc", group="avm")
MATCHES = Asset(name="avm_matches", uri="x-avm://catalog/matches", group="avm")
RESULTS = Asset(name="avm_results", uri="x-avm://lake/results", group="avm")
