-- One row per media: how far it has come, and what stopped it.
--   discovered   nothing made of it yet          error      nothing usable, and the reason is known
--   empty        no usable audio or video        fingerprinted  waits for index or search
--   indexed      licensed and searchable         unmatched      upload, searched, nothing found
--   matched      part of at least one match      removed    taken down, for good
CREATE OR REPLACE VIEW media_status AS
WITH made AS (
    SELECT media_id, bool_or(status = 'ok') AS usable, bool_or(status = 'error') AS failed
    FROM media_fingerprint
    GROUP BY media_id
),
trouble AS (
    SELECT
        media_id,
        arg_max(stage, occurred_at) AS error_stage,
        arg_max(error_class, occurred_at) AS error_class,
        arg_max(message, occurred_at) AS error_message
    FROM media_error
    GROUP BY media_id
),
found AS (
    SELECT media_id, count(*) AS matches
    FROM (SELECT ugc_id AS media_id FROM match UNION ALL SELECT licensed_id FROM match)
    GROUP BY media_id
),
searched AS (
    SELECT DISTINCT probe_id AS media_id FROM match_scan WHERE direction = 'forward'
),
live AS (
    SELECT DISTINCT media_id FROM index_entry WHERE removed_version IS NULL
)
SELECT
    m.media_id,
    m.role,
    m.uri,
    m.title,
    CASE
        WHEN r.media_id IS NOT NULL THEN 'removed'
        WHEN f.matches > 0 THEN 'matched'
        WHEN coalesce(p.usable, false) THEN CASE
            WHEN m.role = 'ugc' AND s.media_id IS NOT NULL THEN 'unmatched'
            WHEN m.role = 'licensed' AND i.media_id IS NOT NULL THEN 'indexed'
            ELSE 'fingerprinted'
        END
        WHEN t.media_id IS NOT NULL OR coalesce(p.failed, false) THEN 'error'
        WHEN p.media_id IS NULL THEN 'discovered'
        ELSE 'empty'
    END AS state,
    c.duration,
    t.error_stage,
    t.error_class,
    t.error_message,
    coalesce(f.matches, 0) AS matches,
    m.uploaded_at,
    m.licensed_from,
    m.discovered_at
FROM media AS m
LEFT JOIN media_content AS c ON c.media_id = m.media_id
LEFT JOIN made AS p ON p.media_id = m.media_id
LEFT JOIN trouble AS t ON t.media_id = m.media_id
LEFT JOIN found AS f ON f.media_id = m.media_id
LEFT JOIN searched AS s ON s.media_id = m.media_id
LEFT JOIN live AS i ON i.media_id = m.media_id
LEFT JOIN removal AS r ON r.media_id = m.media_id
