DELETE FROM exclusion
WHERE media_id IN (SELECT media_id FROM staged_removal)
   OR other_id IN (SELECT media_id FROM staged_removal)
