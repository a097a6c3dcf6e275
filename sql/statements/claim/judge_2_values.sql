CREATE OR REPLACE TEMP TABLE judging_value AS
SELECT v.priority, v.field, v.value
FROM policy_value AS v
WHERE v.policy_id IN (SELECT policy_id FROM judging_rule)
