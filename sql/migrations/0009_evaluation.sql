-- Evaluations on benchmark sets: what was measured with which settings, and every metric of it.
CREATE TABLE evaluation (
    evaluation_id VARCHAR NOT NULL,
    configuration_id VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    experiment BOOLEAN NOT NULL,
    set_name VARCHAR NOT NULL,
    set_digest VARCHAR NOT NULL,
    split VARCHAR NOT NULL,
    modality VARCHAR NOT NULL,
    edits VARCHAR NOT NULL,
    audio_fingerprinter VARCHAR,
    video_fingerprinter VARCHAR,
    matcher_version VARCHAR NOT NULL,
    index_version VARCHAR NOT NULL,
    code_version VARCHAR NOT NULL,
    settings_changed VARCHAR NOT NULL,
    point VARCHAR NOT NULL,
    titles BIGINT NOT NULL,
    uploads BIGINT NOT NULL,
    media_seconds DOUBLE NOT NULL,
    seconds DOUBLE NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL
);

-- edit '' is all edits, strength '' all strengths; a metric without a basis has no value. A gain
-- is over the first point of the sweep.
CREATE TABLE evaluation_metric (
    evaluation_id VARCHAR NOT NULL,
    edit VARCHAR NOT NULL,
    strength VARCHAR NOT NULL,
    metric VARCHAR NOT NULL,
    value DOUBLE,
    low DOUBLE,
    high DOUBLE,
    gain DOUBLE,
    gain_low DOUBLE,
    gain_high DOUBLE
);
