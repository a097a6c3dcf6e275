SELECT evaluation_id, edit, strength, metric, count(*) AS copies
FROM evaluation_metric
GROUP BY evaluation_id, edit, strength, metric
HAVING count(*) > 1
