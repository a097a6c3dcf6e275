SELECT * EXCLUDE (policy_version)
FROM policy_rules
WHERE policy_version = (SELECT max(policy_version) FROM policy)
ORDER BY priority
