-- One page of claims. Every filter may be NULL: not asked.
SELECT
    match_id, ugc_id, ugc_title, uploader, uploaded_at, views, licensed_id, licensed_title,
    rights_holder, ugc_start, ugc_end, licensed_start, licensed_end, length, ugc_duration,
    licensed_duration, share_of_upload, share_of_title, speed, score, modality, direction,
    precedes_licence, action, rule, reason, decision, decided_by, decided_at, found_at
FROM claims
WHERE list_contains($actions::VARCHAR[], action)
  AND ($q IS NULL
       OR contains(lower(ugc_title), lower($q::VARCHAR))
       OR contains(lower(licensed_title), lower($q::VARCHAR))
       OR contains(lower(uploader), lower($q::VARCHAR))
       OR ugc_id = $q OR licensed_id = $q OR match_id = $q)
  AND ($modalities IS NULL OR list_contains($modalities::VARCHAR[], modality))
  AND ($decision IS NULL OR coalesce(decision, 'none') = $decision)
  AND ($direction IS NULL OR direction = $direction)
  AND ($ugc_id IS NULL OR ugc_id = $ugc_id)
  AND ($licensed_id IS NULL OR licensed_id = $licensed_id)
  AND ($rights_holder IS NULL OR rights_holder = $rights_holder)
  AND ($uploader IS NULL OR uploader = $uploader)
  AND ($territory IS NULL OR list_contains(string_split(territories, ','), $territory))
  AND ($rule IS NULL OR rule = $rule)
  AND ($min_score IS NULL OR score >= $min_score)
  AND ($max_score IS NULL OR score <= $max_score)
  AND ($min_length IS NULL OR length >= $min_length)
  AND ($max_length IS NULL OR length <= $max_length)
  AND ($min_share IS NULL OR share_of_title >= $min_share)
  AND ($min_views IS NULL OR views >= $min_views)
  AND ($precedes IS NULL OR coalesce(precedes_licence, false) = $precedes)
  AND ($speed_changed IS NULL OR (abs(speed - 1) > 0.005) = $speed_changed)
  AND ($found_from IS NULL OR found_at >= $found_from::TIMESTAMPTZ)
  AND ($found_to IS NULL OR found_at < $found_to::TIMESTAMPTZ)
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
