SELECT policy_id, policy_version, saved_by, saved_at, note
FROM policy
ORDER BY policy_version DESC
LIMIT 1
