SELECT match_id, count(*) AS copies
FROM match
GROUP BY match_id
HAVING count(*) > 1
