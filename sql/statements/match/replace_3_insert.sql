INSERT INTO match BY NAME
SELECT *
FROM staged_match
QUALIFY row_number() OVER (PARTITION BY match_id ORDER BY found_at DESC) = 1
