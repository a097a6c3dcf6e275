-- A match by its id, also one that ended: it may have been replaced while somebody looked at it.
SELECT match_id, ugc_id, licensed_id, ugc_start, ugc_end, licensed_start, licensed_end
FROM match
WHERE match_id = $match_id
UNION ALL
(
    SELECT match_id, ugc_id, licensed_id, ugc_start, ugc_end, licensed_start, licensed_end
    FROM match_past
    WHERE match_id = $match_id
      AND NOT EXISTS (FROM match AS m WHERE m.match_id = $match_id)
    ORDER BY ended_at DESC
    LIMIT 1
)
