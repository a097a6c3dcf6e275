SELECT media_uri, source, file_uri, count(*) AS copies
FROM media_metadata
GROUP BY media_uri, source, file_uri
HAVING count(*) > 1
