-- The first removal of a media stands: removing it again changes nothing.
INSERT INTO removal BY NAME
SELECT s.*
FROM staged_removal AS s
WHERE NOT EXISTS (FROM removal AS known WHERE known.media_id = s.media_id)
QUALIFY row_number() OVER (PARTITION BY s.media_id ORDER BY s.removed_at) = 1
