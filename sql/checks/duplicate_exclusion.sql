SELECT exclusion_id, count(*) AS copies
FROM exclusion
GROUP BY exclusion_id
HAVING count(*) > 1
