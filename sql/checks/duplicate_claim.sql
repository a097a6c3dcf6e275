SELECT match_id, count(*) AS copies
FROM claim
GROUP BY match_id
HAVING count(*) > 1
