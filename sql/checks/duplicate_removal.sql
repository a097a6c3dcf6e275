SELECT media_id, count(*) AS copies
FROM removal
GROUP BY media_id
HAVING count(*) > 1
