SELECT media_id FROM media WHERE role = $role ORDER BY media_id
