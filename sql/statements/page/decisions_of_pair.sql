-- What people decided about this pair, or about the title for all uploads, newest first.
SELECT *
FROM decisions
WHERE licensed_id = $licensed_id
  AND (ugc_id = $ugc_id OR verdict = 'exclude')
ORDER BY decided_at DESC, decision_id
LIMIT 50
