SELECT f.media_id, f.content_id, f.artefact_uri, f.windows, m.uploaded_at
FROM media_fingerprint AS f
JOIN media AS m ON m.media_id = f.media_id
WHERE m.role = $role
  AND f.modality = $modality
  AND f.fingerprinter = $fingerprinter
  AND f.status = 'ok'
  AND NOT EXISTS (FROM removal AS r WHERE r.media_id = f.media_id)
ORDER BY f.media_id
