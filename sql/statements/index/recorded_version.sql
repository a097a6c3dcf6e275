SELECT coalesce(max(version), 0) AS version
FROM index_snapshot
WHERE index_name = $index_name AND fingerprinter = $fingerprinter
