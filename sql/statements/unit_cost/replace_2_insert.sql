INSERT INTO unit_cost BY NAME
SELECT *
FROM staged_unit_cost
QUALIFY row_number() OVER (PARTITION BY unit_id ORDER BY finished_at DESC) = 1
