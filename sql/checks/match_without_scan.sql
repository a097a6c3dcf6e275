SELECT m.match_id, m.ugc_id, m.licensed_id, m.direction
FROM match AS m
WHERE NOT EXISTS (
    FROM match_scan AS s
    WHERE s.direction = m.direction
      AND s.matcher_version = m.matcher_version
      AND s.probe_id = CASE m.direction WHEN 'forward' THEN m.ugc_id ELSE m.licensed_id END
)
