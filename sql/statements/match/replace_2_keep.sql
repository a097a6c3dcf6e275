-- What ends is history; a segment that was found again, to a twentieth of a second, goes on.
INSERT INTO match_past BY NAME
SELECT
    m.*,
    now() AS ended_at,
    CASE
        WHEN r.by_model THEN 'model'
        WHEN r.by_matcher THEN 'matcher'
        WHEN coalesce(m.exclusions, 0) <> (
            SELECT count(*)
            FROM exclusion AS e
            WHERE e.media_id = m.licensed_id
              AND e.matcher_version = m.matcher_version
              AND e.audio_fingerprinter IS NOT DISTINCT FROM m.audio_fingerprinter
              AND e.video_fingerprinter IS NOT DISTINCT FROM m.video_fingerprinter
        ) + (
            SELECT count(*) + count(d.undone_at)
            FROM decision AS d
            WHERE d.licensed_id = m.licensed_id AND d.verdict = 'exclude'
        ) THEN 'exclusion'
        ELSE 'rematch'
    END AS ended_by
FROM match AS m
JOIN match_replaced AS r ON r.match_id = m.match_id
WHERE NOT EXISTS (
    FROM staged_match AS s
    WHERE s.ugc_id = m.ugc_id
      AND s.licensed_id = m.licensed_id
      AND s.modality = m.modality
      AND abs(s.ugc_start - m.ugc_start) <= 0.05
      AND abs(s.ugc_end - m.ugc_end) <= 0.05
      AND abs(s.licensed_start - m.licensed_start) <= 0.05
      AND abs(s.licensed_end - m.licensed_end) <= 0.05
)
