-- Words that the views compare with, times in order, shares between 0 and 1, intervals in order.
SELECT evaluation_id, 'modality' AS field, modality AS value
FROM evaluation
WHERE modality NOT IN ('audio', 'video', 'both')
UNION ALL
SELECT evaluation_id, 'ended_at', ended_at::VARCHAR
FROM evaluation
WHERE ended_at < started_at OR seconds < 0 OR media_seconds < 0
UNION ALL
SELECT evaluation_id, metric, value::VARCHAR
FROM evaluation_metric
WHERE low > high
   OR (
    metric IN ('final', 'f1', 'iou', 'vcsl_f1', 'micro_ap', 'found')
    AND NOT value BETWEEN 0 AND 1
)
