-- What waits before each stage. "Current" is the fingerprinter last used per modality, and the
-- matcher version last used; a stage that never ran shows what waits for its first run.
CREATE OR REPLACE VIEW backlog AS
WITH current AS (
    SELECT modality, arg_max(fingerprinter, fingerprinted_at) AS fingerprinter
    FROM media_fingerprint
    GROUP BY modality
),
matcher AS (
    SELECT arg_max(matcher_version, scanned_at) AS matcher_version FROM match_scan
),
usable AS (
    SELECT f.media_id, m.role, f.modality, f.fingerprinter
    FROM media_fingerprint AS f
    JOIN current AS c USING (modality, fingerprinter)
    JOIN media AS m ON m.media_id = f.media_id
    WHERE f.status = 'ok'
)
SELECT 'fingerprint' AS stage, count(*) AS waiting
FROM media AS m
WHERE NOT EXISTS (FROM media_fingerprint AS f WHERE f.media_id = m.media_id)
   OR EXISTS (
    FROM current AS c
    WHERE NOT EXISTS (
        FROM media_fingerprint AS f
        WHERE f.media_id = m.media_id AND f.fingerprinter = c.fingerprinter
    )
)
UNION ALL
SELECT 'publish' AS stage, count(DISTINCT u.media_id) AS waiting
FROM usable AS u
WHERE NOT EXISTS (
    FROM index_entry AS e
    WHERE e.media_id = u.media_id
      AND e.fingerprinter = u.fingerprinter
      AND e.index_name = u.role || '_' || u.modality
)
UNION ALL
SELECT 'match' AS stage, count(DISTINCT u.media_id) AS waiting
FROM usable AS u
WHERE u.role = 'ugc'
  AND (EXISTS (
    FROM match AS m
    JOIN matcher AS v ON v.matcher_version = m.matcher_version
    WHERE m.ugc_id = u.media_id
      AND EXISTS (
        FROM index_entry AS i
        WHERE i.media_id = m.licensed_id
          AND i.removed_version IS NULL
          AND i.index_name IN ('licensed_audio', 'licensed_video')
    )
      AND coalesce(m.exclusions, 0) < (
        SELECT count(*) FROM exclusion AS e
        WHERE e.media_id = m.licensed_id
          AND e.matcher_version = m.matcher_version
          AND e.audio_fingerprinter IS NOT DISTINCT FROM m.audio_fingerprinter
          AND e.video_fingerprinter IS NOT DISTINCT FROM m.video_fingerprinter
    ) + (
        SELECT count(*) + count(d.undone_at) FROM decision AS d
        WHERE d.licensed_id = m.licensed_id AND d.verdict = 'exclude'
    )
) OR NOT EXISTS (
    FROM match_scan AS s
    JOIN matcher AS v ON v.matcher_version = s.matcher_version
    WHERE s.probe_id = u.media_id
      AND s.direction = 'forward'
      AND s.modality = u.modality
      AND s.fingerprinter = u.fingerprinter
))
UNION ALL
SELECT 'rematch' AS stage, count(DISTINCT l.media_id) AS waiting
FROM index_entry AS l
JOIN current AS c ON c.fingerprinter = l.fingerprinter AND l.index_name = 'licensed_' || c.modality
WHERE l.removed_version IS NULL
  AND (l.first_version > (
    SELECT min(s.searched_version)
    FROM match_scan AS s
    JOIN matcher AS v ON v.matcher_version = s.matcher_version
    JOIN index_entry AS u
      ON u.media_id = s.probe_id
     AND u.fingerprinter = s.fingerprinter
     AND u.index_name = 'ugc_' || s.modality
     AND u.removed_version IS NULL
    WHERE s.direction = 'forward'
      AND s.modality = c.modality
      AND s.fingerprinter = c.fingerprinter
)
  AND NOT EXISTS (
    FROM match_scan AS r
    JOIN matcher AS v ON v.matcher_version = r.matcher_version
    WHERE r.probe_id = l.media_id
      AND r.direction = 'reverse'
      AND r.modality = c.modality
      AND r.fingerprinter = c.fingerprinter
)
  OR EXISTS (
    FROM decision AS d
    WHERE d.licensed_id = l.media_id
      AND d.verdict = 'exclude'
      AND EXISTS (
        FROM match_scan AS s
        JOIN matcher AS v ON v.matcher_version = s.matcher_version
        WHERE s.direction = 'forward'
          AND s.modality = c.modality
          AND s.fingerprinter = c.fingerprinter
          AND s.scanned_at < d.undone_at
    )
      AND NOT EXISTS (
        FROM match_scan AS r
        JOIN matcher AS v ON v.matcher_version = r.matcher_version
        WHERE r.probe_id = l.media_id
          AND r.direction = 'reverse'
          AND r.modality = c.modality
          AND r.fingerprinter = c.fingerprinter
          AND r.scanned_at > d.undone_at
    )
))
