SELECT evaluation_id
FROM evaluation
WHERE evaluation_id NOT IN (SELECT evaluation_id FROM evaluation_metric)
UNION ALL
SELECT evaluation_id
FROM evaluation_metric
WHERE evaluation_id NOT IN (SELECT evaluation_id FROM evaluation)
