-- What a title shared with one that is gone is its own again.
INSERT INTO exclusion_past BY NAME
SELECT e.*, now() AS ended_at
FROM exclusion AS e
WHERE e.media_id IN (SELECT media_id FROM staged_removal)
   OR e.other_id IN (SELECT media_id FROM staged_removal)
