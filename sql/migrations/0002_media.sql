-- Objects, what is in them, and what was made of them.
CREATE TABLE media (
    media_id VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    uri VARCHAR NOT NULL,
    version_id VARCHAR NOT NULL,
    etag VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    title VARCHAR NOT NULL,
    licensed_from TIMESTAMPTZ,
    uploaded_at TIMESTAMPTZ,
    discovered_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE media_content (
    media_id VARCHAR NOT NULL,
    content_id VARCHAR NOT NULL,
    duration DOUBLE NOT NULL,
    audio_codec VARCHAR,
    video_codec VARCHAR,
    width INTEGER,
    height INTEGER,
    probed_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE media_fingerprint (
    media_id VARCHAR NOT NULL,
    modality VARCHAR NOT NULL,
    fingerprinter VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    content_id VARCHAR,
    artefact_uri VARCHAR,
    windows BIGINT NOT NULL,
    valid_windows BIGINT NOT NULL,
    dims INTEGER NOT NULL,
    bytes BIGINT NOT NULL,
    fingerprinted_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE media_error (
    media_id VARCHAR NOT NULL,
    stage VARCHAR NOT NULL,
    error_class VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    terminal BOOLEAN NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL
);
