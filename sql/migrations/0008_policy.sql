-- What people decided, the rules, and what both make of every match.
CREATE TABLE decision (
    decision_id VARCHAR NOT NULL,
    ugc_id VARCHAR NOT NULL,
    licensed_id VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,
    licensed_start DOUBLE NOT NULL,
    licensed_end DOUBLE NOT NULL,
    ugc_start DOUBLE NOT NULL,
    ugc_end DOUBLE NOT NULL,
    note VARCHAR NOT NULL,
    decided_by VARCHAR NOT NULL,
    decided_at TIMESTAMPTZ NOT NULL,
    source VARCHAR NOT NULL,
    undone_by VARCHAR,
    undone_at TIMESTAMPTZ
);

-- The version with the highest number is in force; a version is never changed.
CREATE TABLE policy (
    policy_id VARCHAR NOT NULL,
    policy_version BIGINT NOT NULL,
    saved_by VARCHAR NOT NULL,
    saved_at TIMESTAMPTZ NOT NULL,
    note VARCHAR NOT NULL
);

-- The first rule that fits, by priority, gives the action. A condition that is NULL is not asked.
CREATE TABLE policy_rule (
    policy_id VARCHAR NOT NULL,
    priority INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    min_length DOUBLE,
    max_length DOUBLE,
    min_share_of_upload DOUBLE,
    max_share_of_upload DOUBLE,
    min_share_of_title DOUBLE,
    max_share_of_title DOUBLE,
    min_score DOUBLE,
    max_score DOUBLE,
    min_share_excluded DOUBLE,
    precedes_licence BOOLEAN,
    licence_ended BOOLEAN
);

-- Conditions that name several values: one of them must be the match's.
CREATE TABLE policy_value (
    policy_id VARCHAR NOT NULL,
    priority INTEGER NOT NULL,
    field VARCHAR NOT NULL,
    value VARCHAR NOT NULL
);

-- One row per match, as wide as the view `matches`: judged when a commit changes what it rests on,
-- so that a list of a million needs no joins.
CREATE TABLE claim (
    match_id VARCHAR NOT NULL,
    ugc_id VARCHAR NOT NULL,
    ugc_title VARCHAR,
    ugc_uri VARCHAR,
    uploaded_at TIMESTAMPTZ,
    uploader VARCHAR,
    views BIGINT,
    licensed_id VARCHAR NOT NULL,
    licensed_title VARCHAR,
    licensed_uri VARCHAR,
    licensed_from TIMESTAMPTZ,
    licensed_until TIMESTAMPTZ,
    rights_holder VARCHAR,
    territories VARCHAR,
    precedes_licence BOOLEAN,
    licence_ended BOOLEAN,
    ugc_start DOUBLE NOT NULL,
    ugc_end DOUBLE NOT NULL,
    licensed_start DOUBLE NOT NULL,
    licensed_end DOUBLE NOT NULL,
    length DOUBLE NOT NULL,
    coverage DOUBLE,
    ugc_duration DOUBLE,
    licensed_duration DOUBLE,
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
    found_at TIMESTAMPTZ NOT NULL,
    pair_segments BIGINT NOT NULL,
    pair_ugc_seconds DOUBLE NOT NULL,
    pair_licensed_seconds DOUBLE NOT NULL,
    share_of_upload DOUBLE,
    share_of_title DOUBLE,
    share_excluded DOUBLE NOT NULL,
    action VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    policy_version BIGINT NOT NULL,
    decision VARCHAR,
    decision_id VARCHAR,
    decision_note VARCHAR,
    decided_by VARCHAR,
    decided_at TIMESTAMPTZ
);

-- What a unit of work took, for costs and throughput.
CREATE TABLE unit_cost (
    unit_id VARCHAR NOT NULL,
    stage VARCHAR NOT NULL,
    media BIGINT NOT NULL,
    media_seconds DOUBLE NOT NULL,
    work_seconds DOUBLE NOT NULL,
    finished_at TIMESTAMPTZ NOT NULL
);

INSERT INTO policy VALUES
    ('default', 1, 'avm', TIMESTAMPTZ '2026-11-29 00:00:00+00', 'what AVM comes with');

INSERT INTO policy_rule BY NAME
SELECT 'default' AS policy_id, *
FROM (
    VALUES
    (10, 'precedes-licence', 'track', 'uploaded before the licence began',
     NULL::DOUBLE, NULL::DOUBLE, NULL::DOUBLE, NULL::DOUBLE, NULL::DOUBLE, true, NULL::BOOLEAN),
    (20, 'licence-ended', 'ignore', 'uploaded after the licence had ended',
     NULL, NULL, NULL, NULL, NULL, NULL, true),
    (30, 'shared-stretch', 'review', 'most of it is in other titles too or was excluded',
     NULL, NULL, NULL, NULL, 0.8, NULL, NULL),
    (40, 'unsure', 'review', 'the score is too low to act on without a look',
     NULL, NULL, 0.8, NULL, NULL, NULL, NULL),
    (50, 'most-of-title', 'block', 'half of the title or more was copied',
     NULL, NULL, NULL, 0.5, NULL, NULL, NULL),
    (60, 'long', 'block', 'a minute or more was copied',
     60.0, NULL, NULL, NULL, NULL, NULL, NULL),
    (70, 'short', 'track', 'a quotation of less than twenty seconds',
     NULL, 20.0, NULL, NULL, NULL, NULL, NULL),
    (80, 'rest', 'review', 'no other rule fits', NULL, NULL, NULL, NULL, NULL, NULL, NULL)
) AS given(
    priority, name, action, reason, min_length, max_length, max_score, min_share_of_title,
    min_share_excluded, precedes_licence, licence_ended
);
