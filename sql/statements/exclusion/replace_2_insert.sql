INSERT INTO exclusion BY NAME
SELECT *
FROM staged_exclusion
QUALIFY row_number() OVER (PARTITION BY exclusion_id ORDER BY found_at DESC) = 1
