-- A comparison may have begun before one of the two titles was removed.
INSERT INTO exclusion BY NAME
SELECT s.*
FROM staged_exclusion AS s
WHERE NOT EXISTS (FROM removal AS r WHERE r.media_id IN (s.media_id, s.other_id))
QUALIFY row_number() OVER (PARTITION BY s.exclusion_id ORDER BY s.found_at DESC) = 1
