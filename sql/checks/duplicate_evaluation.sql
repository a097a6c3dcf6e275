SELECT evaluation_id, count(*) AS copies
FROM evaluation
GROUP BY evaluation_id
HAVING count(*) > 1
