SELECT *
FROM decisions
WHERE licensed_id = $licensed_id
ORDER BY decided_at DESC, decision_id
LIMIT 100
