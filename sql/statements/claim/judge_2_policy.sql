-- The rules in force.
CREATE OR REPLACE TEMP TABLE judging_rule AS
WITH present AS (
    SELECT policy_id, policy_version
    FROM policy
    ORDER BY policy_version DESC
    LIMIT 1
)
SELECT p.policy_version, r.*
FROM policy_rule AS r
JOIN present AS p ON p.policy_id = r.policy_id
