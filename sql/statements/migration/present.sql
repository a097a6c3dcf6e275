SELECT count(*) > 0 AS present
FROM duckdb_tables()
WHERE database_name = 'lake' AND table_name = 'migration'
