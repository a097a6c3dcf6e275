-- What was compared, and what was found.
CREATE TABLE match_scan (
    probe_id VARCHAR NOT NULL,
    direction VARCHAR NOT NULL,
    modality VARCHAR NOT NULL,
    searched_index VARCHAR NOT NULL,
    searched_version BIGINT NOT NULL,
    fingerprinter VARCHAR NOT NULL,
    matcher_version VARCHAR NOT NULL,
    unit_id VARCHAR NOT NULL,
    scanned_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE match (
    match_id VARCHAR NOT NULL,
    ugc_id VARCHAR NOT NULL,
    licensed_id VARCHAR NOT NULL,
    ugc_start DOUBLE NOT NULL,
    ugc_end DOUBLE NOT NULL,
    licensed_start DOUBLE NOT NULL,
    licensed_end DOUBLE NOT NULL,
    speed DOUBLE NOT NULL,
    score DOUBLE NOT NULL,
    modality VARCHAR NOT NULL,
    audio_score DOUBLE NOT NULL,
    video_score DOUBLE NOT NULL,
    direction VARCHAR NOT NULL,
    audio_snapshot VARCHAR,
    video_snapshot VARCHAR,
    audio_fingerprinter VARCHAR,
    video_fingerprinter VARCHAR,
    matcher_version VARCHAR NOT NULL,
    unit_id VARCHAR NOT NULL,
    found_at TIMESTAMPTZ NOT NULL
);
