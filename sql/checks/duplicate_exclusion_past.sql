SELECT exclusion_id, found_at, count(*) AS copies
FROM exclusion_past
GROUP BY exclusion_id, found_at
HAVING count(*) > 1
