SELECT *
FROM media
WHERE media_id IN (SELECT unnest($ids::VARCHAR[]))
ORDER BY media_id
