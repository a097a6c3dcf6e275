INSERT INTO decision BY NAME
SELECT *
FROM staged_decision
QUALIFY row_number() OVER (PARTITION BY decision_id ORDER BY undone_at DESC NULLS LAST) = 1
