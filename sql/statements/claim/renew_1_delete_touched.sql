DELETE FROM claim
WHERE ugc_id IN (SELECT media_id FROM touched)
   OR licensed_id IN (SELECT media_id FROM touched)
