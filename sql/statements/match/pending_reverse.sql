-- Licensed media that some upload's forward scan came too early to see and that no reverse scan
-- has compared with that upload yet, and the days of these uploads.
--
-- Asked pair by pair this is uploads x licensed. Only two numbers of an upload matter: how far
-- its forward scan saw (searched_version) and when it was indexed (first_version). So: per day
-- the newest first_version among uploads whose scan saw less than this licensed media, one ASOF
-- step per licensed media and day, against what its reverse scans of that day have covered.
--
-- What a title shared with one that was removed since, or what a person had excluded and took back,
-- is its own again: uploads that were searched before that are looked at once more, and reverse
-- scans from before do not count.
WITH indexed AS (
    SELECT
        e.index_name,
        e.media_id,
        e.first_version,
        w.modality,
        w.fingerprinter,
        coalesce(strftime(m.uploaded_at AT TIME ZONE 'UTC', '%Y-%m-%d'), '') AS day
    FROM (
        VALUES ('audio', $audio_fingerprinter::VARCHAR), ('video', $video_fingerprinter::VARCHAR)
    ) AS w(modality, fingerprinter)
    JOIN index_entry AS e
      ON e.fingerprinter = w.fingerprinter
     AND e.index_name IN ('licensed_' || w.modality, 'ugc_' || w.modality)
    JOIN media AS m ON m.media_id = e.media_id
    WHERE e.removed_version IS NULL
      AND NOT EXISTS (FROM removal AS r WHERE r.media_id = e.media_id)
),
shared_before AS (
    SELECT media_id, max(ended_at) AS ended_at
    FROM (
        SELECT media_id, ended_at
        FROM exclusion_past
        WHERE matcher_version = $matcher_version
          AND audio_fingerprinter IS NOT DISTINCT FROM $audio_fingerprinter
          AND video_fingerprinter IS NOT DISTINCT FROM $video_fingerprinter
        UNION ALL
        SELECT licensed_id, undone_at
        FROM decision
        WHERE verdict = 'exclude' AND undone_at IS NOT NULL
    )
    GROUP BY media_id
),
seen AS (
    SELECT i.modality, i.day, i.first_version, s.searched_version, s.scanned_at
    FROM indexed AS i
    JOIN match_scan AS s
      ON s.probe_id = i.media_id AND s.direction = 'forward'
     AND s.modality = i.modality AND s.fingerprinter = i.fingerprinter
     AND s.matcher_version = $matcher_version
    WHERE i.index_name = 'ugc_' || i.modality
),
uploads AS (
    SELECT
        modality,
        day,
        searched_version,
        max(newest) OVER (PARTITION BY modality, day ORDER BY searched_version) AS newest
    FROM (
        SELECT modality, day, searched_version, max(first_version) AS newest
        FROM seen
        GROUP BY modality, day, searched_version
    )
),
licensed AS (
    SELECT i.media_id, i.modality, i.first_version, i.fingerprinter, d.day, b.ended_at
    FROM indexed AS i
    JOIN (SELECT DISTINCT modality, day FROM uploads) AS d ON d.modality = i.modality
    LEFT JOIN shared_before AS b ON b.media_id = i.media_id
    WHERE i.index_name = 'licensed_' || i.modality
),
covered AS (
    SELECT l.media_id, l.modality, l.day, max(s.searched_version) AS version
    FROM licensed AS l
    JOIN match_scan AS s
      ON s.probe_id = l.media_id AND s.direction = 'reverse'
     AND s.modality = l.modality AND s.fingerprinter = l.fingerprinter
     AND s.matcher_version = $matcher_version
    WHERE (s.first_day IS NULL OR l.day BETWEEN s.first_day AND s.last_day)
      AND (l.ended_at IS NULL OR s.scanned_at > l.ended_at)
    GROUP BY l.media_id, l.modality, l.day
),
needed AS (
    SELECT l.media_id, l.modality, l.day, u.newest
    FROM licensed AS l
    ASOF JOIN uploads AS u
      ON u.modality = l.modality AND u.day = l.day AND l.first_version > u.searched_version
    UNION ALL
    SELECT l.media_id, l.modality, l.day, max(u.first_version) AS newest
    FROM licensed AS l
    JOIN seen AS u ON u.modality = l.modality AND u.day = l.day AND u.scanned_at < l.ended_at
    GROUP BY l.media_id, l.modality, l.day
),
pending AS (
    SELECT n.media_id, list_sort(list(DISTINCT n.day)) AS days
    FROM needed AS n
    LEFT JOIN covered AS c
      ON c.media_id = n.media_id AND c.modality = n.modality AND c.day = n.day
    WHERE n.newest > coalesce(c.version, 0)
    GROUP BY n.media_id
)
SELECT
    m.media_id,
    m.uploaded_at,
    c.duration,
    a.artefact_uri AS audio_uri,
    v.artefact_uri AS video_uri,
    p.days
FROM pending AS p
JOIN media AS m ON m.media_id = p.media_id AND m.role = 'licensed'
LEFT JOIN media_content AS c ON c.media_id = m.media_id
LEFT JOIN media_fingerprint AS a
  ON a.media_id = m.media_id AND a.modality = 'audio' AND a.status = 'ok'
 AND a.fingerprinter = $audio_fingerprinter
LEFT JOIN media_fingerprint AS v
  ON v.media_id = m.media_id AND v.modality = 'video' AND v.status = 'ok'
 AND v.fingerprinter = $video_fingerprinter
ORDER BY m.discovered_at, m.media_id
LIMIT $limit::BIGINT
