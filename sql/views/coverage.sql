-- How much of an upload is from a title, and how much of the title is in the upload: all segments
-- of the pair together, each second once. Segments that a person rejected or excluded do not count.
CREATE OR REPLACE VIEW coverage AS
SELECT
    ugc_id,
    any_value(ugc_title) AS ugc_title,
    licensed_id,
    any_value(licensed_title) AS licensed_title,
    any_value(pair_segments) AS segments,
    any_value(pair_ugc_seconds) AS ugc_seconds,
    any_value(pair_licensed_seconds) AS licensed_seconds,
    any_value(share_of_upload) AS share_of_upload,
    any_value(share_of_title) AS share_of_title,
    max(length) AS longest_length,
    arg_max(match_id, length) AS longest_match_id,
    arg_max(ugc_start, length) AS longest_ugc_start,
    arg_max(licensed_start, length) AS longest_licensed_start,
    max(score) AS best_score,
    min(found_at) AS found_at
FROM claim
WHERE decision IS NULL OR decision = 'confirm'
GROUP BY ugc_id, licensed_id
