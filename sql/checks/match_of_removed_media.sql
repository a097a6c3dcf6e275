SELECT m.match_id, m.ugc_id, m.licensed_id
FROM match AS m
WHERE EXISTS (FROM removal AS r WHERE r.media_id IN (m.ugc_id, m.licensed_id))
