DELETE FROM decision WHERE decision_id IN (SELECT decision_id FROM staged_decision)
