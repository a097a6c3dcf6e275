SELECT f.media_id, f.content_id, f.artefact_uri, f.windows, m.uploaded_at
FROM media_fingerprint AS f
JOIN media AS m ON m.media_id = f.media_id
WHERE m.role = $role
  AND f.modality = $modality
  AND f.fingerprinter = $fingerprinter
  AND f.status = 'ok'
ORDER BY f.media_id
