-- Of two people who save at once the first one has the version.
INSERT INTO policy BY NAME
SELECT s.*
FROM staged_policy AS s
WHERE NOT EXISTS (FROM policy AS p WHERE p.policy_version = s.policy_version)
QUALIFY row_number() OVER (PARTITION BY s.policy_version ORDER BY s.saved_at) = 1
