SELECT match_id, found_at, count(*) AS copies
FROM match_past
GROUP BY match_id, found_at
HAVING count(*) > 1
