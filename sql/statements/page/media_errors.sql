SELECT * FROM errors WHERE media_id = $media_id ORDER BY occurred_at DESC LIMIT 20
