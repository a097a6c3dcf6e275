SELECT * FROM decision WHERE decision_id = $decision_id
