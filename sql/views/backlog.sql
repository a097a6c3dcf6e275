-- What waits before each stage. "Current" is the fingerprinter last used per modality, and the
-- matcher version last used; a stage that never ran shows what waits for its first run. `rematch`
-- counts titles, the others media; `nightly` is what another model or matcher searched last.
CREATE OR REPLACE VIEW backlog AS
WITH current AS (
    SELECT modality, arg_max(fingerprinter, fingerprinted_at) AS fingerprinter
    FROM media_fingerprint
    GROUP BY modality
),
matcher AS (
    SELECT arg_max(matcher_version, scanned_at) AS matcher_version FROM match_scan
),
living AS (
    SELECT
        m.media_id,
        m.role,
        m.gone_at,
        coalesce(strftime(m.uploaded_at AT TIME ZONE 'UTC', '%Y-%m-%d'), '') AS day
    FROM media AS m
    WHERE NOT EXISTS (FROM removal AS r WHERE r.media_id = m.media_id)
),
searchable AS (
    SELECT DISTINCT index_name, fingerprinter
    FROM index_entry
    WHERE index_name IN ('licensed_audio', 'licensed_video')
),
usable AS (
    SELECT
        f.media_id,
        m.role,
        f.modality,
        f.fingerprinter,
        CASE WHEN i.index_name IS NULL THEN 0 ELSE 1 END AS least_version
    FROM media_fingerprint AS f
    JOIN current AS c USING (modality, fingerprinter)
    JOIN living AS m ON m.media_id = f.media_id
    LEFT JOIN searchable AS i
      ON i.index_name = 'licensed_' || f.modality AND i.fingerprinter = f.fingerprinter
    WHERE f.status = 'ok'
),
scanned AS (
    SELECT s.*, s.matcher_version = v.matcher_version AS by_current
    FROM match_scan AS s, matcher AS v
),
excluded AS (
    SELECT
        media_id, matcher_version, audio_fingerprinter, video_fingerprinter, count(*) AS known
    FROM exclusion
    GROUP BY ALL
),
decided AS (
    SELECT licensed_id, count(*) + count(undone_at) AS known
    FROM decision
    WHERE verdict = 'exclude'
    GROUP BY licensed_id
),
-- Stretches of these titles are no longer excluded: another title was removed, or a person said so.
own_again AS (
    SELECT media_id, max(ended_at) AS ended_at
    FROM (
        SELECT p.media_id, p.ended_at
        FROM exclusion_past AS p
        JOIN matcher AS v ON v.matcher_version = p.matcher_version
        UNION ALL
        SELECT licensed_id, undone_at
        FROM decision
        WHERE verdict = 'exclude' AND undone_at IS NOT NULL
    )
    GROUP BY media_id
),
seen AS (
    SELECT
        s.modality,
        u.day,
        s.searched_version,
        max(e.first_version) AS newest,
        min(s.scanned_at) AS scanned_at
    FROM scanned AS s
    JOIN current AS c ON c.modality = s.modality AND c.fingerprinter = s.fingerprinter
    JOIN living AS u ON u.media_id = s.probe_id
    JOIN index_entry AS e
      ON e.media_id = s.probe_id AND e.fingerprinter = s.fingerprinter
     AND e.index_name = 'ugc_' || s.modality AND e.removed_version IS NULL
    WHERE s.direction = 'forward' AND s.by_current
    GROUP BY s.modality, u.day, s.searched_version
)
SELECT 'fingerprint' AS stage, count(*) AS waiting
FROM living AS m
WHERE m.gone_at IS NULL AND (
    NOT EXISTS (FROM media_fingerprint AS f WHERE f.media_id = m.media_id)
    OR EXISTS (
        FROM current AS c
        WHERE NOT EXISTS (
            FROM media_fingerprint AS f
            WHERE f.media_id = m.media_id AND f.fingerprinter = c.fingerprinter
        )
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
  AND (NOT EXISTS (
    FROM match_scan AS s
    WHERE s.probe_id = u.media_id
      AND s.direction = 'forward'
      AND s.modality = u.modality
      AND s.searched_version >= u.least_version
) OR u.media_id IN (
    SELECT m.ugc_id
    FROM match AS m
    JOIN matcher AS v ON v.matcher_version = m.matcher_version
    LEFT JOIN excluded AS e
      ON e.media_id = m.licensed_id
     AND e.matcher_version = m.matcher_version
     AND e.audio_fingerprinter IS NOT DISTINCT FROM m.audio_fingerprinter
     AND e.video_fingerprinter IS NOT DISTINCT FROM m.video_fingerprinter
    LEFT JOIN decided AS d ON d.licensed_id = m.licensed_id
    WHERE coalesce(m.exclusions, 0) <> coalesce(e.known, 0) + coalesce(d.known, 0)
      AND EXISTS (
        FROM index_entry AS i
        WHERE i.media_id = m.licensed_id
          AND i.removed_version IS NULL
          AND i.index_name IN ('licensed_audio', 'licensed_video')
    )
))
UNION ALL
SELECT 'rematch' AS stage, count(DISTINCT l.media_id) AS waiting
FROM index_entry AS l
JOIN living AS t ON t.media_id = l.media_id
JOIN current AS c ON c.fingerprinter = l.fingerprinter AND l.index_name = 'licensed_' || c.modality
JOIN seen AS u ON u.modality = c.modality
LEFT JOIN own_again AS o ON o.media_id = l.media_id
WHERE l.removed_version IS NULL
  AND (u.searched_version < l.first_version OR u.scanned_at < o.ended_at)
  AND NOT EXISTS (
    FROM scanned AS r
    WHERE r.probe_id = l.media_id
      AND r.direction = 'reverse'
      AND r.by_current
      AND r.modality = c.modality
      AND r.fingerprinter = c.fingerprinter
      AND r.searched_version >= u.newest
      AND (o.ended_at IS NULL OR r.scanned_at > o.ended_at)
      AND (r.first_day IS NULL OR u.day BETWEEN r.first_day AND r.last_day)
)
UNION ALL
SELECT 'nightly' AS stage, count(DISTINCT u.media_id) AS waiting
FROM usable AS u
WHERE u.role = 'ugc'
  AND u.least_version = 1
  AND EXISTS (
    FROM match_scan AS s
    WHERE s.probe_id = u.media_id
      AND s.direction = 'forward'
      AND s.modality = u.modality
      AND s.searched_version > 0
)
  AND NOT EXISTS (
    FROM scanned AS s
    WHERE s.probe_id = u.media_id
      AND s.direction = 'forward'
      AND s.by_current
      AND s.modality = u.modality
      AND s.fingerprinter = u.fingerprinter
      AND s.searched_version > 0
)
