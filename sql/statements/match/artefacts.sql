SELECT
    m.media_id,
    a.artefact_uri AS audio_uri,
    v.artefact_uri AS video_uri,
    c.duration
FROM media AS m
LEFT JOIN media_content AS c ON c.media_id = m.media_id
LEFT JOIN media_fingerprint AS a
  ON a.media_id = m.media_id AND a.modality = 'audio' AND a.status = 'ok'
 AND a.fingerprinter = $audio_fingerprinter
LEFT JOIN media_fingerprint AS v
  ON v.media_id = m.media_id AND v.modality = 'video' AND v.status = 'ok'
 AND v.fingerprinter = $video_fingerprinter
WHERE m.media_id IN (SELECT unnest($ids::VARCHAR[]))
ORDER BY m.media_id
