-- A new attempt at fingerprinting forgets what went wrong in the last one. Probing and decoding
-- happen inside that stage, so their errors go with it.
DELETE FROM media_error
WHERE stage IN ('probe', 'decode', 'fingerprint')
  AND media_id IN (
    SELECT media_id FROM staged_media_fingerprint
    UNION ALL
    SELECT media_id FROM staged_media_content
)
