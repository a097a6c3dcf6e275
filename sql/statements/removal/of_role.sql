SELECT r.media_id
FROM removal AS r
JOIN media AS m ON m.media_id = r.media_id
WHERE m.role = $role
ORDER BY r.media_id
