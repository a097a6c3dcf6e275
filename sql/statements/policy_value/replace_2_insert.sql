INSERT INTO policy_value BY NAME
SELECT *
FROM staged_policy_value
WHERE policy_id IN (SELECT policy_id FROM policy)
