-- Uploads with a usable fingerprint that was never compared by this matcher, and those with a match
-- in a title of which more exclusions are known now than when it was made.
WITH usable AS (
    SELECT media_id, modality, fingerprinter, artefact_uri
    FROM media_fingerprint
    WHERE status = 'ok'
      AND ((modality = 'audio' AND fingerprinter = $audio_fingerprinter)
        OR (modality = 'video' AND fingerprinter = $video_fingerprinter))
),
excluded AS (
    SELECT media_id, sum(changes) AS known
    FROM (
        SELECT media_id, 1 AS changes
        FROM exclusion
        WHERE matcher_version = $matcher_version
          AND audio_fingerprinter IS NOT DISTINCT FROM $audio_fingerprinter
          AND video_fingerprinter IS NOT DISTINCT FROM $video_fingerprinter
        UNION ALL
        SELECT licensed_id, CASE WHEN undone_at IS NULL THEN 1 ELSE 2 END
        FROM decision
        WHERE verdict = 'exclude'
    )
    GROUP BY media_id
),
pending AS (
    SELECT DISTINCT u.media_id
    FROM usable AS u
    WHERE NOT EXISTS (
        FROM match_scan AS s
        WHERE s.probe_id = u.media_id
          AND s.direction = 'forward'
          AND s.modality = u.modality
          AND s.fingerprinter = u.fingerprinter
          AND s.matcher_version = $matcher_version
    )
    UNION
    SELECT m.ugc_id
    FROM match AS m
    JOIN excluded AS e ON e.media_id = m.licensed_id
    WHERE m.matcher_version = $matcher_version
      AND m.audio_fingerprinter IS NOT DISTINCT FROM $audio_fingerprinter
      AND m.video_fingerprinter IS NOT DISTINCT FROM $video_fingerprinter
      AND coalesce(m.exclusions, 0) <> e.known
      -- What is no longer licensed is not searched, so its matches stay as they are.
      AND EXISTS (
        FROM index_entry AS i
        WHERE i.media_id = m.licensed_id
          AND i.removed_version IS NULL
          AND i.index_name IN ('licensed_audio', 'licensed_video')
    )
)
SELECT
    m.media_id,
    m.uploaded_at,
    c.duration,
    a.artefact_uri AS audio_uri,
    v.artefact_uri AS video_uri
FROM pending AS p
JOIN media AS m ON m.media_id = p.media_id AND m.role = 'ugc'
LEFT JOIN media_content AS c ON c.media_id = m.media_id
LEFT JOIN usable AS a ON a.media_id = m.media_id AND a.modality = 'audio'
LEFT JOIN usable AS v ON v.media_id = m.media_id AND v.modality = 'video'
ORDER BY m.discovered_at, m.media_id
LIMIT $limit::BIGINT
