DELETE FROM media_fingerprint
WHERE (media_id, modality, fingerprinter) IN (
    SELECT (media_id, modality, fingerprinter) FROM staged_media_fingerprint
)
