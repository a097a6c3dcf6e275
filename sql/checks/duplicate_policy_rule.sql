SELECT policy_id, priority, count(*) AS copies
FROM policy_rule
GROUP BY policy_id, priority
HAVING count(*) > 1
