-- Claims that say something else of their match than the catalog does, and matches without one.
SELECT m.match_id, c.action
FROM matches AS m
LEFT JOIN claim AS c ON c.match_id = m.match_id
WHERE c.match_id IS NULL
   OR c.ugc_title IS DISTINCT FROM m.ugc_title
   OR c.licensed_title IS DISTINCT FROM m.licensed_title
   OR c.uploader IS DISTINCT FROM m.uploader
   OR c.territories IS DISTINCT FROM m.territories
   OR c.precedes_licence IS DISTINCT FROM m.precedes_licence
   OR c.licence_ended IS DISTINCT FROM m.licence_ended
   OR c.coverage IS DISTINCT FROM m.coverage
   OR c.licensed_duration IS DISTINCT FROM m.licensed_duration
   OR c.policy_version IS DISTINCT FROM (SELECT max(policy_version) FROM policy)
UNION ALL
SELECT c.match_id, c.action
FROM claim AS c
WHERE NOT EXISTS (FROM match AS m WHERE m.match_id = c.match_id)
