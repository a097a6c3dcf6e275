SELECT r.removal_id, r.media_id
FROM removal AS r
WHERE NOT EXISTS (FROM media AS m WHERE m.media_id = r.media_id)
