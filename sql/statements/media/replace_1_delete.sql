DELETE FROM media WHERE media_id IN (SELECT media_id FROM staged_media)
