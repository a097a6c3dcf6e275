DELETE FROM policy_value WHERE policy_id IN (SELECT policy_id FROM staged_policy_value)
