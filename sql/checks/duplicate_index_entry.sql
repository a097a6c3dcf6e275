SELECT index_name, fingerprinter, media_id, count(*) AS copies
FROM index_entry
GROUP BY index_name, fingerprinter, media_id
HAVING count(*) > 1
