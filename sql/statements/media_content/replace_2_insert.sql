INSERT INTO media_content BY NAME
SELECT *
FROM staged_media_content
QUALIFY row_number() OVER (PARTITION BY media_id ORDER BY probed_at DESC) = 1
