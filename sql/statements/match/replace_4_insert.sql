-- A scan may have begun before one of the two media was removed. What goes on was found when it was
-- found first, and keeps its name: somebody may be looking at it.
INSERT INTO match BY NAME
SELECT
    s.* REPLACE (
        coalesce(k.match_id, s.match_id) AS match_id,
        coalesce(k.found_at, s.found_at) AS found_at
    )
FROM staged_match AS s
LEFT JOIN match_replaced AS k
  ON k.ugc_id = s.ugc_id
 AND k.licensed_id = s.licensed_id
 AND k.modality = s.modality
 AND abs(s.ugc_start - k.ugc_start) <= 0.05
 AND abs(s.ugc_end - k.ugc_end) <= 0.05
 AND abs(s.licensed_start - k.licensed_start) <= 0.05
 AND abs(s.licensed_end - k.licensed_end) <= 0.05
WHERE NOT EXISTS (FROM removal AS r WHERE r.media_id IN (s.ugc_id, s.licensed_id))
QUALIFY row_number() OVER (PARTITION BY s.match_id ORDER BY s.found_at DESC, k.found_at) = 1
