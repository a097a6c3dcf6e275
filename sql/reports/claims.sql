-- Every claim with what is to be done, the surest and longest first.
SELECT
    action,
    rule,
    reason,
    ugc_uri,
    ugc_title,
    uploader,
    licensed_uri,
    licensed_title,
    rights_holder,
    ugc_start,
    ugc_end,
    licensed_start,
    licensed_end,
    length,
    share_of_upload,
    share_of_title,
    score,
    modality,
    uploaded_at,
    decision,
    decided_by,
    match_id
FROM claims
ORDER BY action, score DESC, length DESC, match_id
