INSERT INTO match_past BY NAME
SELECT m.*, now() AS ended_at, 'removed' AS ended_by
FROM match AS m
WHERE m.ugc_id IN (SELECT media_id FROM staged_removal)
   OR m.licensed_id IN (SELECT media_id FROM staged_removal)
