DELETE FROM evaluation WHERE evaluation_id IN (SELECT evaluation_id FROM staged_evaluation)
