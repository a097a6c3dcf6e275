-- Media that could not be processed, and what is wrong with what is said about them (stage
-- `metadata`); newest first when sorted by occurred_at.
CREATE OR REPLACE VIEW errors AS
SELECT
    e.media_id,
    m.role,
    m.uri,
    e.stage,
    e.error_class,
    e.message,
    e.terminal,
    e.occurred_at,
    coalesce(e.attempts, 1) AS attempts,
    e.next_attempt_at
FROM media_error AS e
LEFT JOIN media AS m ON m.media_id = e.media_id
UNION ALL
SELECT
    m.media_id,
    m.role,
    coalesce(m.uri, d.media_uri) AS uri,
    'metadata' AS stage,
    'BadMetadata' AS error_class,
    d.problem AS message,
    true AS terminal,
    d.read_at AS occurred_at,
    1 AS attempts,
    NULL AS next_attempt_at
FROM media_metadata AS d
LEFT JOIN media AS m ON m.uri = d.media_uri AND m.gone_at IS NULL
WHERE d.problem IS NOT NULL
UNION ALL
SELECT
    m.media_id,
    f.role,
    coalesce(m.uri, f.uri) AS uri,
    'metadata' AS stage,
    'BadMetadata' AS error_class,
    f.problem AS message,
    true AS terminal,
    f.read_at AS occurred_at,
    1 AS attempts,
    NULL AS next_attempt_at
FROM metadata_file AS f
LEFT JOIN media AS m ON m.uri = f.media_uri AND m.gone_at IS NULL
WHERE f.problem IS NOT NULL AND f.gone_at IS NULL
