SELECT match_id, ugc_start, ugc_end, licensed_start, licensed_end
FROM match
WHERE ugc_end <= ugc_start
   OR licensed_end <= licensed_start
   OR ugc_start < 0
   OR licensed_start < 0
