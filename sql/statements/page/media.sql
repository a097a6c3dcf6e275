-- One media, whatever became of it.
SELECT m.*, c.content_id, c.duration, c.audio_codec, c.video_codec, c.width, c.height
FROM media AS m
LEFT JOIN media_content AS c ON c.media_id = m.media_id
WHERE m.media_id = $media_id
