-- Published index snapshots; is_current marks the newest version of each index.
CREATE OR REPLACE VIEW snapshots AS
SELECT
    snapshot_id,
    index_name,
    version,
    version = max(version) OVER (PARTITION BY index_name) AS is_current,
    fingerprinter,
    windows,
    media_count,
    bytes,
    bytes / nullif(windows, 0) AS bytes_per_window,
    manifest_uri,
    parent_id,
    published_at
FROM index_snapshot
