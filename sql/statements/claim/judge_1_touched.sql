-- The matches of the media in `touched`.
CREATE OR REPLACE TEMP TABLE judging AS
SELECT m.match_id
FROM match AS m
JOIN touched AS t ON t.media_id = m.ugc_id
UNION
SELECT m.match_id
FROM match AS m
JOIN touched AS t ON t.media_id = m.licensed_id
