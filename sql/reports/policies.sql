-- Every saved policy, the newest first.
SELECT policy_version, in_force, saved_at, saved_by, rules, note
FROM policies
ORDER BY policy_version DESC
