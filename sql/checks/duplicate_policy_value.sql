SELECT policy_id, priority, field, value, count(*) AS copies
FROM policy_value
GROUP BY policy_id, priority, field, value
HAVING count(*) > 1
