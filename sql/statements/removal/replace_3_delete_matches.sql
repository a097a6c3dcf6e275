DELETE FROM match
WHERE ugc_id IN (SELECT media_id FROM staged_removal)
   OR licensed_id IN (SELECT media_id FROM staged_removal)
