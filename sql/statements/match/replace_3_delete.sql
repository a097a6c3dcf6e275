DELETE FROM match WHERE match_id IN (SELECT match_id FROM match_replaced)
