SELECT policy_id, saved_by
FROM policy
WHERE policy_version = $policy_version
