SELECT m.match_id, m.ugc_id, m.licensed_id
FROM match AS m
WHERE NOT EXISTS (FROM media AS u WHERE u.media_id = m.ugc_id AND u.role = 'ugc')
   OR NOT EXISTS (FROM media AS l WHERE l.media_id = m.licensed_id AND l.role = 'licensed')
