SELECT uri, count(*) AS copies
FROM metadata_file
GROUP BY uri
HAVING count(*) > 1
