-- A scan may have begun before one of the two media was removed.
INSERT INTO match BY NAME
SELECT s.*
FROM staged_match AS s
WHERE NOT EXISTS (FROM removal AS r WHERE r.media_id IN (s.ugc_id, s.licensed_id))
QUALIFY row_number() OVER (PARTITION BY s.match_id ORDER BY s.found_at DESC) = 1
