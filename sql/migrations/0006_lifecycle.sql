-- How things end: media that were taken down, and what was known before it was replaced.
CREATE TABLE removal (
    removal_id VARCHAR NOT NULL,
    media_id VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    removed_by VARCHAR NOT NULL,
    removed_at TIMESTAMPTZ NOT NULL
);

-- `match` as it was, and when and why it ended: rematch, matcher, model, exclusion, removed.
CREATE TABLE match_past (
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
    found_at TIMESTAMPTZ NOT NULL,
    exclusions BIGINT,
    ended_at TIMESTAMPTZ NOT NULL,
    ended_by VARCHAR NOT NULL
);

-- `exclusion` as it was before one of its two titles was removed.
CREATE TABLE exclusion_past (
    exclusion_id VARCHAR NOT NULL,
    media_id VARCHAR NOT NULL,
    other_id VARCHAR NOT NULL,
    start_s DOUBLE NOT NULL,
    end_s DOUBLE NOT NULL,
    score DOUBLE NOT NULL,
    modality VARCHAR NOT NULL,
    audio_fingerprinter VARCHAR,
    video_fingerprinter VARCHAR,
    matcher_version VARCHAR NOT NULL,
    unit_id VARCHAR NOT NULL,
    found_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL
);
