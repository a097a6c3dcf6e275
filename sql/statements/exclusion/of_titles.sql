-- What the current matcher and people know of these licensed media. An exclusion that was taken
-- back counts twice: what was matched before it was has to be seen as stale.
SELECT media_id, start_s, end_s, true AS in_force, 1::BIGINT AS changes
FROM exclusion
WHERE media_id IN (SELECT unnest($ids::VARCHAR[]))
  AND matcher_version = $matcher_version
  AND audio_fingerprinter IS NOT DISTINCT FROM $audio_fingerprinter
  AND video_fingerprinter IS NOT DISTINCT FROM $video_fingerprinter
UNION ALL
SELECT
    licensed_id AS media_id,
    licensed_start AS start_s,
    licensed_end AS end_s,
    undone_at IS NULL AS in_force,
    CASE WHEN undone_at IS NULL THEN 1 ELSE 2 END AS changes
FROM decision
WHERE verdict = 'exclude'
  AND licensed_id IN (SELECT unnest($ids::VARCHAR[]))
ORDER BY media_id, start_s, end_s
