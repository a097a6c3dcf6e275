-- One page of claims.
SELECT
    match_id, ugc_id, ugc_title, uploader, uploaded_at, views, licensed_id, licensed_title,
    rights_holder, ugc_start, ugc_end, licensed_start, licensed_end, length, ugc_duration,
    licensed_duration, share_of_upload, share_of_title, speed, score, modality, direction,
    precedes_licence, action, rule, reason, decision, decided_by, decided_at, found_at
FROM (
    -- include page/chosen
)
ORDER BY
    CASE $sort
        WHEN 'found' THEN epoch(found_at)
        WHEN 'score' THEN score
        WHEN 'length' THEN length
        WHEN 'views' THEN coalesce(views, -1)::DOUBLE
        WHEN 'share_of_title' THEN coalesce(share_of_title, -1)
        WHEN 'share_of_upload' THEN coalesce(share_of_upload, -1)
        WHEN 'uploaded' THEN coalesce(epoch(uploaded_at), -1)
    END * $sign,
    match_id
LIMIT $rows OFFSET $first
