-- Every saved version of the policy; the one with the highest number is in force.
CREATE OR REPLACE VIEW policies AS
SELECT
    p.policy_version,
    p.policy_version = max(p.policy_version) OVER () AS in_force,
    p.saved_by,
    p.saved_at,
    p.note,
    count(r.priority) AS rules
FROM policy AS p
LEFT JOIN policy_rule AS r ON r.policy_id = p.policy_id
GROUP BY p.policy_version, p.saved_by, p.saved_at, p.note
