-- A new attempt at a media (it was probed, or failed at that) forgets what went wrong before.
DELETE FROM media_error
WHERE media_id IN (
    SELECT media_id FROM staged_media_content
    UNION ALL
    SELECT media_id FROM staged_media_error WHERE stage = 'probe'
)
