-- How many claims pass the filters, in all and by what people sort them by.
SELECT
    count(*) AS claims,
    count(DISTINCT ugc_id) AS uploads,
    count(DISTINCT licensed_id) AS titles,
    coalesce(sum(length), 0) AS seconds,
    count(*) FILTER (action = 'block') AS block,
    count(*) FILTER (action = 'review') AS review,
    count(*) FILTER (action = 'track') AS track,
    count(*) FILTER (action = 'ignore') AS ignore,
    count(*) FILTER (action = 'review' AND decision IS NULL) AS waiting
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
