-- Stretches of titles that are evidence for nothing: what titles share, and what people excluded.
CREATE OR REPLACE VIEW exclusions AS
SELECT
    e.media_id AS licensed_id,
    l.title AS licensed_title,
    e.start_s,
    e.end_s,
    'shared' AS source,
    e.other_id,
    o.title AS other_title,
    NULL AS decided_by,
    NULL AS note,
    e.found_at AS since
FROM exclusion AS e
LEFT JOIN media AS l ON l.media_id = e.media_id
LEFT JOIN media AS o ON o.media_id = e.other_id
UNION ALL
SELECT
    d.licensed_id,
    l.title,
    d.licensed_start,
    d.licensed_end,
    'person',
    NULL,
    NULL,
    d.decided_by,
    d.note,
    d.decided_at
FROM decision AS d
LEFT JOIN media AS l ON l.media_id = d.licensed_id
WHERE d.verdict = 'exclude' AND d.undone_at IS NULL
