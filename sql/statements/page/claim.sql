SELECT * FROM claims WHERE match_id = $match_id
