SELECT media_id
FROM removal
WHERE media_id IN (SELECT unnest($ids::VARCHAR[]))
ORDER BY media_id
