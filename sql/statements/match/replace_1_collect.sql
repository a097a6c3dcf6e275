-- A scan replaces the matches between its probe and everything that the searched snapshot held,
-- also when it found none. Pairs that it could not see (media indexed later) belong to the scan
-- in the other direction and stay. The index may be searched before its snapshot is recorded: a
-- pair found again is replaced whatever index_entry knows.
CREATE OR REPLACE TEMP TABLE match_replaced AS
WITH by_scan AS (
    SELECT m.match_id, s.direction, s.probe_id
    FROM staged_match_scan AS s
    JOIN match AS m ON m.ugc_id = s.probe_id
    JOIN index_entry AS e
      ON e.index_name = s.searched_index
     AND e.fingerprinter = s.fingerprinter
     AND e.media_id = m.licensed_id
     AND e.first_version <= s.searched_version
    WHERE s.direction = 'forward'
    UNION
    SELECT m.match_id, s.direction, s.probe_id
    FROM staged_match_scan AS s
    JOIN match AS m ON m.licensed_id = s.probe_id
    JOIN index_entry AS e
      ON e.index_name = s.searched_index
     AND e.fingerprinter = s.fingerprinter
     AND e.media_id = m.ugc_id
     AND e.first_version <= s.searched_version
    LEFT JOIN media AS u ON u.media_id = m.ugc_id
    WHERE s.direction = 'reverse'
      AND (s.first_day IS NULL
        OR coalesce(strftime(u.uploaded_at AT TIME ZONE 'UTC', '%Y-%m-%d'), '')
            BETWEEN s.first_day AND s.last_day)
),
replaced AS (
    SELECT
        m.match_id,
        s.matcher_version <> m.matcher_version AS by_matcher,
        s.fingerprinter IS DISTINCT FROM CASE s.modality
            WHEN 'audio' THEN m.audio_fingerprinter ELSE m.video_fingerprinter
        END AS by_model
    FROM by_scan AS b
    JOIN match AS m ON m.match_id = b.match_id
    JOIN staged_match_scan AS s ON s.direction = b.direction AND s.probe_id = b.probe_id
    UNION ALL
    SELECT
        m.match_id,
        s.matcher_version <> m.matcher_version AS by_matcher,
        s.audio_fingerprinter IS DISTINCT FROM m.audio_fingerprinter
            OR s.video_fingerprinter IS DISTINCT FROM m.video_fingerprinter AS by_model
    FROM staged_match AS s
    JOIN match AS m ON m.ugc_id = s.ugc_id AND m.licensed_id = s.licensed_id
)
SELECT m.*, r.by_matcher, r.by_model
FROM match AS m
JOIN (
    SELECT match_id, bool_or(by_matcher) AS by_matcher, bool_or(by_model) AS by_model
    FROM replaced
    GROUP BY match_id
) AS r ON r.match_id = m.match_id
