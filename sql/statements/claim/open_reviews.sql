SELECT
    match_id,
    ugc_title,
    licensed_title,
    ugc_start,
    ugc_end,
    licensed_start,
    licensed_end,
    score,
    modality,
    speed,
    rule,
    reason
FROM review_queue
ORDER BY place
LIMIT $limit::BIGINT
