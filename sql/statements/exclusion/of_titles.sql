-- What the current matcher knows of these licensed media.
SELECT media_id, start_s, end_s
FROM exclusion
WHERE media_id IN (SELECT unnest($ids::VARCHAR[]))
  AND matcher_version = $matcher_version
  AND audio_fingerprinter IS NOT DISTINCT FROM $audio_fingerprinter
  AND video_fingerprinter IS NOT DISTINCT FROM $video_fingerprinter
ORDER BY media_id, start_s, end_s
