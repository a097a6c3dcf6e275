SELECT media_id, count(*) AS copies
FROM media
GROUP BY media_id
HAVING count(*) > 1
