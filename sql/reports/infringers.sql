-- Uploaders with more than one blocked upload.
FROM repeat_infringers
WHERE repeats
ORDER BY blocked_uploads DESC, minutes DESC, uploader
