-- Artefacts of media that were removed before $before and that no other media needs: identical
-- contents share them.
SELECT f.*
FROM media_fingerprint AS f
JOIN removal AS r ON r.media_id = f.media_id
WHERE f.artefact_uri IS NOT NULL
  AND r.removed_at < $before::TIMESTAMPTZ
  AND NOT EXISTS (
    FROM media_fingerprint AS other
    LEFT JOIN removal AS gone ON gone.media_id = other.media_id
    WHERE other.artefact_uri = f.artefact_uri
      AND (gone.media_id IS NULL OR gone.removed_at >= $before::TIMESTAMPTZ)
)
ORDER BY f.artefact_uri, f.media_id
LIMIT $limit::BIGINT
