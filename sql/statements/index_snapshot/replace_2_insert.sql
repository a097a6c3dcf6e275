INSERT INTO index_snapshot BY NAME
SELECT *
FROM staged_index_snapshot
QUALIFY row_number() OVER (PARTITION BY snapshot_id ORDER BY published_at DESC) = 1
