-- Uploads with a usable fingerprint of a modality in which they were never searched, and those
-- with a match in a title of which other exclusions are known now than when it was made. A scan
-- from before there was an index of the modality (version 0) counts only until there is one. What
-- was searched by another model or matcher is stale, not new: see stale.sql.
WITH searchable AS (
    SELECT DISTINCT index_name, fingerprinter
    FROM index_entry
    WHERE index_name IN ('licensed_audio', 'licensed_video')
),
usable AS (
    SELECT
        f.media_id,
        f.modality,
        f.artefact_uri,
        CASE WHEN i.index_name IS NULL THEN 0 ELSE 1 END AS least_version
    FROM media_fingerprint AS f
    LEFT JOIN searchable AS i
      ON i.index_name = 'licensed_' || f.modality AND i.fingerprinter = f.fingerprinter
    WHERE f.status = 'ok'
      AND ((f.modality = 'audio' AND f.fingerprinter = $audio_fingerprinter)
        OR (f.modality = 'video' AND f.fingerprinter = $video_fingerprinter))
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
          AND s.searched_version >= u.least_version
    )
    UNION
    SELECT m.ugc_id
    FROM match AS m
    LEFT JOIN excluded AS e ON e.media_id = m.licensed_id
    WHERE m.matcher_version = $matcher_version
      AND m.audio_fingerprinter IS NOT DISTINCT FROM $audio_fingerprinter
      AND m.video_fingerprinter IS NOT DISTINCT FROM $video_fingerprinter
      AND coalesce(m.exclusions, 0) <> coalesce(e.known, 0)
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
WHERE NOT EXISTS (FROM removal AS r WHERE r.media_id = m.media_id)
ORDER BY m.discovered_at, m.media_id
LIMIT $limit::BIGINT
