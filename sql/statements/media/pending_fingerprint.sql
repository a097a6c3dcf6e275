-- Media that lack a row for a current fingerprinter, or whose failure is due for another attempt.
-- A row of any status counts as done; a NULL fingerprinter means that the modality is switched
-- off. Licensed media first, the oldest first: uploads can only match what is known.
WITH current AS (
    SELECT unnest([$audio_fingerprinter, $video_fingerprinter]::VARCHAR[]) AS fingerprinter
),
failed AS (
    SELECT
        media_id,
        max(coalesce(attempts, 1)) AS attempts,
        bool_or(next_attempt_at <= $now::TIMESTAMPTZ) AS due,
        bool_or(next_attempt_at > $now::TIMESTAMPTZ) AS later
    FROM media_error
    GROUP BY media_id
)
SELECT m.*, c.duration, coalesce(f.attempts, 0) AS attempts
FROM media AS m
LEFT JOIN media_content AS c ON c.media_id = m.media_id
LEFT JOIN failed AS f ON f.media_id = m.media_id
WHERE m.gone_at IS NULL
  AND (
    coalesce(f.due, false)
    OR (NOT coalesce(f.later, false) AND EXISTS (
        FROM current AS c
        WHERE c.fingerprinter IS NOT NULL
          AND NOT EXISTS (
            FROM media_fingerprint AS p
            WHERE p.media_id = m.media_id AND p.fingerprinter = c.fingerprinter
        )
    ))
)
  AND NOT EXISTS (FROM removal AS r WHERE r.media_id = m.media_id)
ORDER BY m.role, m.discovered_at, m.media_id
LIMIT $limit::BIGINT
