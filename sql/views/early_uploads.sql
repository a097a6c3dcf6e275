-- Copies in uploads that are older than the licence of the title.
CREATE OR REPLACE VIEW early_uploads AS
SELECT
    match_id,
    ugc_id,
    ugc_title,
    uploader,
    uploaded_at,
    licensed_id,
    licensed_title,
    licensed_from,
    epoch(licensed_from - uploaded_at) / 86400 AS days_before,
    length,
    score,
    action,
    reason
FROM claim
WHERE precedes_licence
