-- Media that lack a row for a current fingerprinter. A row of any status counts as done;
-- a NULL fingerprinter means that the modality is switched off.
WITH current AS (
    SELECT unnest([$audio_fingerprinter, $video_fingerprinter]::VARCHAR[]) AS fingerprinter
)
SELECT m.*
FROM media AS m
WHERE EXISTS (
    FROM current AS c
    WHERE c.fingerprinter IS NOT NULL
      AND NOT EXISTS (
        FROM media_fingerprint AS f
        WHERE f.media_id = m.media_id AND f.fingerprinter = c.fingerprinter
    )
)
  AND NOT EXISTS (FROM removal AS r WHERE r.media_id = m.media_id)
ORDER BY m.discovered_at, m.media_id
LIMIT $limit::BIGINT
