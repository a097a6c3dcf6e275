-- Stretches of licensed media that other licensed media have as well: intros, jingles.
CREATE TABLE exclusion (
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
    found_at TIMESTAMPTZ NOT NULL
);

-- How many exclusions of its title a match was made with: where there are more now, it is stale.
ALTER TABLE match ADD COLUMN exclusions BIGINT;
