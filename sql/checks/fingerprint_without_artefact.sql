SELECT media_id, modality, fingerprinter
FROM media_fingerprint
WHERE status = 'ok' AND (artefact_uri IS NULL OR content_id IS NULL OR valid_windows = 0)
