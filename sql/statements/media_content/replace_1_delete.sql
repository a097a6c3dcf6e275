DELETE FROM media_content WHERE media_id IN (SELECT media_id FROM staged_media_content)
