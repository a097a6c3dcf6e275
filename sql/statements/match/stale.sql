-- Uploads whose last search is out of date, the longest ago first:
--   model, matcher  searched before, but not by the current fingerprinter or matcher
--   snapshot        a title came after their search, and no search of that title backwards has
--                   looked at their day since they were indexed
-- A modality without an index of titles makes nothing stale.
WITH searchable AS (
    SELECT DISTINCT index_name, fingerprinter
    FROM index_entry
    WHERE index_name IN ('licensed_audio', 'licensed_video')
),
usable AS (
    SELECT f.media_id, f.modality, f.fingerprinter, f.artefact_uri, i.index_name
    FROM media_fingerprint AS f
    LEFT JOIN searchable AS i
      ON i.index_name = 'licensed_' || f.modality AND i.fingerprinter = f.fingerprinter
    WHERE f.status = 'ok'
      AND ((f.modality = 'audio' AND f.fingerprinter = $audio_fingerprinter)
        OR (f.modality = 'video' AND f.fingerprinter = $video_fingerprinter))
),
searched AS (
    SELECT
        u.media_id,
        u.modality,
        u.fingerprinter,
        coalesce(strftime(m.uploaded_at AT TIME ZONE 'UTC', '%Y-%m-%d'), '') AS day,
        e.first_version,
        max(s.scanned_at) AS scanned_at,
        max(s.searched_version) FILTER (
            s.fingerprinter = u.fingerprinter AND s.matcher_version = $matcher_version
        ) AS version
    FROM usable AS u
    JOIN media AS m ON m.media_id = u.media_id AND m.role = 'ugc'
    JOIN match_scan AS s
      ON s.probe_id = u.media_id AND s.direction = 'forward' AND s.modality = u.modality
    LEFT JOIN index_entry AS e
      ON e.media_id = u.media_id AND e.index_name = 'ugc_' || u.modality
     AND e.fingerprinter = u.fingerprinter AND e.removed_version IS NULL
    WHERE u.index_name IS NOT NULL AND s.searched_version > 0
    GROUP BY ALL
),
titles AS (
    SELECT e.media_id, e.first_version, w.modality, w.fingerprinter
    FROM (
        VALUES ('audio', $audio_fingerprinter::VARCHAR), ('video', $video_fingerprinter::VARCHAR)
    ) AS w(modality, fingerprinter)
    JOIN index_entry AS e
      ON e.fingerprinter = w.fingerprinter AND e.index_name = 'licensed_' || w.modality
    WHERE e.removed_version IS NULL
      AND NOT EXISTS (FROM removal AS r WHERE r.media_id = e.media_id)
),
-- Per title and day how far searches backwards saw; per day and title's version the least of all
-- titles that are as new or newer.
covered AS (
    SELECT t.modality, d.day, t.first_version, t.media_id, max(s.searched_version) AS version
    FROM titles AS t
    JOIN (SELECT DISTINCT modality, day FROM searched) AS d ON d.modality = t.modality
    LEFT JOIN match_scan AS s
      ON s.probe_id = t.media_id AND s.direction = 'reverse'
     AND s.modality = t.modality AND s.fingerprinter = t.fingerprinter
     AND s.matcher_version = $matcher_version
     AND (s.first_day IS NULL OR d.day BETWEEN s.first_day AND s.last_day)
    GROUP BY t.modality, d.day, t.first_version, t.media_id
),
least AS (
    SELECT
        modality,
        day,
        first_version,
        min(version) OVER (PARTITION BY modality, day ORDER BY first_version DESC) AS version
    FROM (
        SELECT modality, day, first_version, min(coalesce(version, 0)) AS version
        FROM covered
        GROUP BY modality, day, first_version
    )
),
stale AS (
    SELECT media_id, scanned_at FROM searched WHERE version IS NULL
    UNION ALL
    SELECT u.media_id, u.scanned_at
    FROM searched AS u
    ASOF JOIN least AS t
      ON t.modality = u.modality AND t.day = u.day AND u.version < t.first_version
    WHERE u.first_version IS NULL OR t.version < u.first_version
)
SELECT
    m.media_id,
    m.uploaded_at,
    c.duration,
    a.artefact_uri AS audio_uri,
    v.artefact_uri AS video_uri,
    p.scanned_at
FROM (SELECT media_id, min(scanned_at) AS scanned_at FROM stale GROUP BY media_id) AS p
JOIN media AS m ON m.media_id = p.media_id
LEFT JOIN media_content AS c ON c.media_id = m.media_id
LEFT JOIN usable AS a ON a.media_id = m.media_id AND a.modality = 'audio'
LEFT JOIN usable AS v ON v.media_id = m.media_id AND v.modality = 'video'
WHERE NOT EXISTS (FROM removal AS r WHERE r.media_id = m.media_id)
ORDER BY p.scanned_at, m.media_id
LIMIT $limit::BIGINT
