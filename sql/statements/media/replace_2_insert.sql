INSERT INTO media BY NAME
SELECT *
FROM staged_media
QUALIFY row_number() OVER (PARTITION BY media_id ORDER BY discovered_at DESC) = 1
