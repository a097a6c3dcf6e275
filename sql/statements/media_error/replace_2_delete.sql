DELETE FROM media_error
WHERE (media_id, stage) IN (SELECT (media_id, stage) FROM staged_media_error)
