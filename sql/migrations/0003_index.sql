-- Published snapshots and which media they hold.
CREATE TABLE index_snapshot (
    snapshot_id VARCHAR NOT NULL,
    index_name VARCHAR NOT NULL,
    version BIGINT NOT NULL,
    fingerprinter VARCHAR NOT NULL,
    manifest_uri VARCHAR NOT NULL,
    windows BIGINT NOT NULL,
    media_count BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    parent_id VARCHAR,
    published_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE index_entry (
    index_name VARCHAR NOT NULL,
    fingerprinter VARCHAR NOT NULL,
    media_id VARCHAR NOT NULL,
    first_version BIGINT NOT NULL,
    removed_version BIGINT
);
