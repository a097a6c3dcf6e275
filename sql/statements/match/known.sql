SELECT match_id, ugc_id, licensed_id, ugc_start, ugc_end, licensed_start, licensed_end
FROM match
WHERE match_id = $match_id
