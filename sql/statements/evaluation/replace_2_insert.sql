INSERT INTO evaluation BY NAME
SELECT *
FROM staged_evaluation
QUALIFY row_number() OVER (PARTITION BY evaluation_id ORDER BY ended_at DESC) = 1
