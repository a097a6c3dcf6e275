DELETE FROM exclusion
WHERE (media_id, other_id) IN (SELECT (media_id, other_id) FROM staged_exclusion)
