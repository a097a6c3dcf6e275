INSERT INTO media_error BY NAME
SELECT *
FROM staged_media_error
QUALIFY row_number() OVER (PARTITION BY media_id, stage ORDER BY occurred_at DESC) = 1
