-- Published licensed media that were not compared with the licensed media before them. The later
-- of two finds the earlier one, so that each pair is looked at.
WITH published AS (
    SELECT e.media_id, w.modality, w.fingerprinter, e.first_version
    FROM (
        VALUES ('audio', $audio_fingerprinter::VARCHAR), ('video', $video_fingerprinter::VARCHAR)
    ) AS w(modality, fingerprinter)
    JOIN index_entry AS e
      ON e.fingerprinter = w.fingerprinter AND e.index_name = 'licensed_' || w.modality
    WHERE e.removed_version IS NULL
),
pending AS (
    SELECT DISTINCT p.media_id
    FROM published AS p
    WHERE NOT EXISTS (
        FROM match_scan AS s
        WHERE s.probe_id = p.media_id
          AND s.direction = 'self'
          AND s.modality = p.modality
          AND s.fingerprinter = p.fingerprinter
          AND s.matcher_version = $matcher_version
          AND s.searched_version >= p.first_version
    )
)
SELECT m.media_id
FROM pending AS p
JOIN media AS m ON m.media_id = p.media_id AND m.role = 'licensed'
WHERE NOT EXISTS (FROM removal AS r WHERE r.media_id = m.media_id)
ORDER BY m.discovered_at, m.media_id
LIMIT $limit::BIGINT
