SELECT media_id, stage, count(*) AS copies
FROM media_error
GROUP BY media_id, stage
HAVING count(*) > 1
