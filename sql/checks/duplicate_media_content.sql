SELECT media_id, count(*) AS copies
FROM media_content
GROUP BY media_id
HAVING count(*) > 1
