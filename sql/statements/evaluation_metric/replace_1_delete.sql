DELETE FROM evaluation_metric
WHERE evaluation_id IN (SELECT evaluation_id FROM staged_evaluation)
