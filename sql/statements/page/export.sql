-- The claims that pass the filters, for a file; what the page shows and what it was made from.
SELECT
    match_id, action, rule, reason, decision, decided_by, decided_at, decision_note,
    ugc_id, ugc_title, ugc_uri, uploader, views, uploaded_at, licensed_id, licensed_title,
    licensed_uri, rights_holder, territories, licensed_from, licensed_until, precedes_licence,
    ugc_start, ugc_end, licensed_start, licensed_end, length, share_of_upload, share_of_title,
    speed, score, modality, audio_score, video_score, direction, matcher_version, policy_version,
    found_at
FROM (
    -- include page/chosen
)
ORDER BY found_at DESC, match_id
