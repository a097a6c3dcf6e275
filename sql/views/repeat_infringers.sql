-- Uploaders by what of theirs is blocked; `repeats` from the second blocked upload on.
CREATE OR REPLACE VIEW repeat_infringers AS
WITH sent AS (
    SELECT uploader, count(*) AS uploads
    FROM media
    WHERE role = 'ugc' AND uploader IS NOT NULL
    GROUP BY uploader
),
blocked AS (
    SELECT
        uploader,
        count(DISTINCT ugc_id) AS blocked_uploads,
        count(DISTINCT licensed_id) AS titles,
        count(DISTINCT rights_holder) AS rights_holders,
        sum(length) / 60 AS minutes,
        min(uploaded_at) AS first_at,
        max(uploaded_at) AS last_at
    FROM claim
    WHERE action = 'block' AND uploader IS NOT NULL
    GROUP BY uploader
)
SELECT
    b.uploader,
    b.blocked_uploads,
    s.uploads,
    b.blocked_uploads / s.uploads AS share_blocked,
    b.blocked_uploads > 1 AS repeats,
    b.titles,
    b.rights_holders,
    b.minutes,
    b.first_at,
    b.last_at
FROM blocked AS b
JOIN sent AS s ON s.uploader = b.uploader
