SELECT decision_id, count(*) AS copies
FROM decision
GROUP BY decision_id
HAVING count(*) > 1
