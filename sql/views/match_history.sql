-- What began and what ended, and why, match by match.
--   found   new upload     an upload was searched, by itself or after its fingerprints changed
--           new licence    a title came later and was searched backwards
--           model, matcher, exclusion, rematch  took the place of one that ended for that reason
--   ended   model, matcher, exclusion, rematch, removed  as in past_matches
CREATE OR REPLACE VIEW match_history AS
WITH every AS (
    SELECT match_id, ugc_id, licensed_id, ugc_start, ugc_end, licensed_start, licensed_end, score,
        modality, direction, found_at, NULL::TIMESTAMPTZ AS ended_at, NULL AS ended_by
    FROM match
    UNION ALL
    SELECT match_id, ugc_id, licensed_id, ugc_start, ugc_end, licensed_start, licensed_end, score,
        modality, direction, found_at, ended_at, ended_by
    FROM match_past
),
-- The commit that ends a match is that of its successor, found in the hours that a task may take.
successor AS (
    SELECT n.match_id, n.found_at, arg_max(o.ended_by, o.ended_at) AS ended_by
    FROM every AS n
    JOIN match_past AS o
      ON o.ugc_id = n.ugc_id
     AND o.licensed_id = n.licensed_id
     AND o.found_at < n.found_at
     AND o.ended_at BETWEEN n.found_at AND n.found_at + INTERVAL 6 HOURS
    GROUP BY n.match_id, n.found_at
),
event AS (
    SELECT
        e.found_at AS happened_at,
        'found' AS event,
        CASE
            WHEN s.match_id IS NOT NULL THEN s.ended_by
            WHEN e.direction = 'reverse' THEN 'new licence'
            ELSE 'new upload'
        END AS reason,
        e.*
    FROM every AS e
    LEFT JOIN successor AS s ON s.match_id = e.match_id AND s.found_at = e.found_at
    UNION ALL
    SELECT ended_at AS happened_at, 'ended' AS event, ended_by AS reason, *
    FROM every
    WHERE ended_at IS NOT NULL
)
SELECT
    v.happened_at,
    v.event,
    v.reason,
    v.match_id,
    v.ugc_id,
    u.title AS ugc_title,
    v.licensed_id,
    l.title AS licensed_title,
    v.ugc_start,
    v.ugc_end,
    v.licensed_start,
    v.licensed_end,
    v.score,
    v.modality
FROM event AS v
LEFT JOIN media AS u ON u.media_id = v.ugc_id
LEFT JOIN media AS l ON l.media_id = v.licensed_id
