-- All matches, the surest and longest first.
SELECT
    ugc_uri,
    ugc_title,
    licensed_uri,
    licensed_title,
    ugc_start,
    ugc_end,
    licensed_start,
    licensed_end,
    length,
    coverage,
    speed,
    score,
    modality,
    audio_score,
    video_score,
    uploaded_at,
    licensed_from,
    precedes_licence
FROM matches
ORDER BY score DESC, length DESC, match_id
