DELETE FROM policy_rule WHERE policy_id IN (SELECT policy_id FROM staged_policy_rule)
