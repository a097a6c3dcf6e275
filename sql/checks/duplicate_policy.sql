SELECT policy_version, count(*) AS copies
FROM policy
GROUP BY policy_version
HAVING count(*) > 1
