-- Licensed media that some upload's forward scan came too early to see and that no reverse scan
-- has compared with that upload yet.
--
-- Asked pair by pair this is uploads x licensed. Only two numbers of an upload matter: how far
-- its forward scan saw (searched_version) and when it was indexed (first_version). So: the
-- newest first_version among uploads whose scan saw less than this licensed media, one ASOF
-- step per licensed media, against what its reverse scan has covered.
--
-- And titles of which a person took an exclusion back: uploads that showed nothing else of them
-- were left out and have no match that could be stale.
WITH indexed AS (
    SELECT e.index_name, e.media_id, e.first_version, w.modality, w.fingerprinter
    FROM (
        VALUES ('audio', $audio_fingerprinter::VARCHAR), ('video', $video_fingerprinter::VARCHAR)
    ) AS w(modality, fingerprinter)
    JOIN index_entry AS e
      ON e.fingerprinter = w.fingerprinter
     AND e.index_name IN ('licensed_' || w.modality, 'ugc_' || w.modality)
    WHERE e.removed_version IS NULL
),
scanned AS (
    SELECT probe_id, direction, modality, fingerprinter, max(searched_version) AS searched_version
    FROM match_scan
    WHERE matcher_version = $matcher_version
    GROUP BY probe_id, direction, modality, fingerprinter
),
uploads AS (
    SELECT
        modality,
        searched_version,
        max(newest) OVER (PARTITION BY modality ORDER BY searched_version) AS newest
    FROM (
        SELECT i.modality, s.searched_version, max(i.first_version) AS newest
        FROM indexed AS i
        JOIN scanned AS s
          ON s.probe_id = i.media_id AND s.direction = 'forward'
         AND s.modality = i.modality AND s.fingerprinter = i.fingerprinter
        WHERE i.index_name = 'ugc_' || i.modality
        GROUP BY i.modality, s.searched_version
    )
),
licensed AS (
    SELECT
        i.media_id,
        i.modality,
        i.first_version,
        coalesce(s.searched_version, 0) AS covered
    FROM indexed AS i
    LEFT JOIN scanned AS s
      ON s.probe_id = i.media_id AND s.direction = 'reverse'
     AND s.modality = i.modality AND s.fingerprinter = i.fingerprinter
    WHERE i.index_name = 'licensed_' || i.modality
),
pending AS (
    SELECT DISTINCT l.media_id
    FROM licensed AS l
    ASOF JOIN uploads AS u
      ON u.modality = l.modality AND l.first_version > u.searched_version
    WHERE u.newest > l.covered
    UNION
    SELECT i.media_id
    FROM indexed AS i
    JOIN (
        SELECT licensed_id, max(undone_at) AS undone_at
        FROM decision
        WHERE verdict = 'exclude' AND undone_at IS NOT NULL
        GROUP BY licensed_id
    ) AS d ON d.licensed_id = i.media_id
    WHERE i.index_name = 'licensed_' || i.modality
      AND EXISTS (
        FROM match_scan AS s
        WHERE s.direction = 'forward'
          AND s.modality = i.modality
          AND s.fingerprinter = i.fingerprinter
          AND s.matcher_version = $matcher_version
          AND s.scanned_at < d.undone_at
    )
      AND NOT EXISTS (
        FROM match_scan AS s
        WHERE s.probe_id = i.media_id
          AND s.direction = 'reverse'
          AND s.modality = i.modality
          AND s.fingerprinter = i.fingerprinter
          AND s.matcher_version = $matcher_version
          AND s.scanned_at > d.undone_at
    )
)
SELECT
    m.media_id,
    m.uploaded_at,
    c.duration,
    a.artefact_uri AS audio_uri,
    v.artefact_uri AS video_uri
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
