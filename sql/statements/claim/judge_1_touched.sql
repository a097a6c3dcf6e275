-- The matches of the media in `touched`.
CREATE OR REPLACE TEMP TABLE judging AS
SELECT *
FROM match
WHERE ugc_id IN (SELECT media_id FROM touched)
   OR licensed_id IN (SELECT media_id FROM touched)
