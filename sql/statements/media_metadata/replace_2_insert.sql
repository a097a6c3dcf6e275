INSERT INTO media_metadata BY NAME
SELECT *
FROM staged_media_metadata
QUALIFY row_number() OVER (
    PARTITION BY media_uri, source, file_uri ORDER BY read_at DESC
) = 1
