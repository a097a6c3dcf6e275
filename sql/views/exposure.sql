-- How far each title has spread, by claims that are not ignored. Minutes count each second of an
-- upload once; share_of_title is what all uploads together show of it. viewed_hours weighs with the
-- uploads' views and is NULL where no upload has any on record.
CREATE OR REPLACE VIEW exposure AS
WITH counted AS (
    SELECT * FROM claim WHERE action <> 'ignore'
),
stretch AS (
    SELECT
        licensed_id,
        licensed_start,
        licensed_end,
        max(licensed_end) OVER (
            PARTITION BY licensed_id ORDER BY licensed_start, licensed_end, match_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS reached
    FROM counted
),
spread AS (
    SELECT
        licensed_id,
        sum(greatest(
            0, licensed_end - greatest(licensed_start, coalesce(reached, licensed_start))
        )) AS seconds
    FROM stretch
    GROUP BY licensed_id
),
-- Seconds of one pair from its claims that count, not those of the pair as a whole.
ours AS (
    SELECT
        licensed_id,
        ugc_id,
        views,
        ugc_start,
        ugc_end,
        max(ugc_end) OVER (
            PARTITION BY licensed_id, ugc_id ORDER BY ugc_start, ugc_end, match_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS reached
    FROM counted
),
pair AS (
    SELECT
        licensed_id,
        ugc_id,
        any_value(views) AS views,
        sum(greatest(0, ugc_end - greatest(ugc_start, coalesce(reached, ugc_start)))) AS seconds
    FROM ours
    GROUP BY licensed_id, ugc_id
),
reach AS (
    SELECT
        licensed_id,
        count(*) AS uploads,
        sum(seconds) / 60 AS minutes,
        sum(views) AS views,
        sum(seconds * views) / 3600 AS viewed_hours
    FROM pair
    GROUP BY licensed_id
),
title AS (
    SELECT
        licensed_id,
        any_value(licensed_title) AS licensed_title,
        any_value(rights_holder) AS rights_holder,
        any_value(licensed_duration) AS licensed_duration,
        count(*) AS claims,
        count(*) FILTER (action = 'block') AS blocked,
        count(*) FILTER (action = 'review') AS in_review,
        count(*) FILTER (action = 'track') AS tracked,
        max(length) AS longest_length,
        min(uploaded_at) AS first_uploaded_at,
        max(uploaded_at) AS last_uploaded_at
    FROM counted
    GROUP BY licensed_id
)
SELECT
    t.licensed_id,
    t.licensed_title,
    t.rights_holder,
    r.uploads,
    t.claims,
    t.blocked,
    t.in_review,
    t.tracked,
    r.minutes,
    r.views,
    r.viewed_hours,
    CASE WHEN t.licensed_duration > 0 THEN least(1.0, s.seconds / t.licensed_duration) END
        AS share_of_title,
    t.longest_length,
    t.first_uploaded_at,
    t.last_uploaded_at
FROM title AS t
JOIN reach AS r ON r.licensed_id = t.licensed_id
JOIN spread AS s ON s.licensed_id = t.licensed_id
