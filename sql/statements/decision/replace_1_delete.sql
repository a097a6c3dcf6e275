-- The late repetition of an answer does not bring back what was undone meanwhile.
DELETE FROM decision
WHERE undone_at IS NULL
  AND decision_id IN (SELECT decision_id FROM staged_decision)
