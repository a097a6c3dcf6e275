DELETE FROM index_snapshot WHERE snapshot_id IN (SELECT snapshot_id FROM staged_index_snapshot)
