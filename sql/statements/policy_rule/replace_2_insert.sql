INSERT INTO policy_rule BY NAME
SELECT *
FROM staged_policy_rule
WHERE policy_id IN (SELECT policy_id FROM policy)
