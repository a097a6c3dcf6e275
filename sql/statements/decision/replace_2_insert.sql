INSERT INTO decision BY NAME
SELECT s.*
FROM staged_decision AS s
WHERE NOT EXISTS (FROM decision AS d WHERE d.decision_id = s.decision_id)
QUALIFY row_number() OVER (PARTITION BY s.decision_id ORDER BY s.undone_at DESC NULLS LAST) = 1
