INSERT INTO metadata_file BY NAME
SELECT *
FROM staged_metadata_file
QUALIFY row_number() OVER (PARTITION BY uri ORDER BY read_at DESC) = 1
