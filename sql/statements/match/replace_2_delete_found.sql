-- The index may be searched before its snapshot is recorded: a pair found again is replaced
-- whatever index_entry knows.
DELETE FROM match
WHERE (ugc_id, licensed_id) IN (SELECT (ugc_id, licensed_id) FROM staged_match)
