SELECT exclusion_id, media_id, other_id, start_s, end_s
FROM exclusion
WHERE NOT (0 <= start_s AND start_s < end_s) OR media_id = other_id
