-- Every failure of the media that are named, or that failed in a way that is named.
SELECT *
FROM media_error
WHERE media_id IN (
    SELECT media_id
    FROM media_error
    WHERE media_id IN (SELECT unnest($media_ids::VARCHAR[]))
       OR error_class IN (SELECT unnest($error_classes::VARCHAR[]))
)
ORDER BY media_id, stage
