-- Matches that ended, each as it was, with when and why:
--   rematch    compared again and not found, or found elsewhere
--   exclusion  so found because what titles share is known better now
--   model, matcher  so found by other fingerprinters or another matcher
--   removed    one of the two media was taken down
CREATE OR REPLACE VIEW past_matches AS
SELECT
    p.match_id,
    p.ugc_id,
    u.title AS ugc_title,
    u.uri AS ugc_uri,
    p.licensed_id,
    l.title AS licensed_title,
    l.uri AS licensed_uri,
    p.ugc_start,
    p.ugc_end,
    p.licensed_start,
    p.licensed_end,
    p.speed,
    p.score,
    p.modality,
    p.matcher_version,
    p.found_at,
    p.ended_at,
    p.ended_by
FROM match_past AS p
LEFT JOIN media AS u ON u.media_id = p.ugc_id
LEFT JOIN media AS l ON l.media_id = p.licensed_id
