DELETE FROM policy WHERE policy_id IN (SELECT policy_id FROM staged_policy)
