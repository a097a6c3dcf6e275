-- What people said about matches, newest first when sorted by decided_at; in force until undone.
CREATE OR REPLACE VIEW decisions AS
SELECT
    d.decision_id,
    d.verdict,
    d.ugc_id,
    u.title AS ugc_title,
    d.licensed_id,
    l.title AS licensed_title,
    d.licensed_start,
    d.licensed_end,
    d.ugc_start,
    d.ugc_end,
    d.note,
    d.decided_by,
    d.decided_at,
    d.source,
    d.undone_at IS NULL AS in_force,
    d.undone_by,
    d.undone_at
FROM decision AS d
LEFT JOIN media AS u ON u.media_id = d.ugc_id
LEFT JOIN media AS l ON l.media_id = d.licensed_id
