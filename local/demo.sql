-- Found beside planted: run on the published avm.duckdb, with the ground truth as a table
-- `planted` (one row per planted stretch; licensed NULL for a clean upload).
WITH found AS (
    SELECT
        *,
        split_part(ugc_uri, '/', -1) AS upload,
        regexp_replace(split_part(licensed_uri, '/', -1), '\.[^.]+$', '') AS licensed
    FROM matches
)
SELECT
    coalesce(p.upload, f.upload) AS upload,
    coalesce(p.edit, 'clean') AS edit,
    coalesce(p.licensed, f.licensed) AS licensed,
    p.ugc_start AS planted_start,
    p.ugc_end AS planted_end,
    f.ugc_start AS found_start,
    f.ugc_end AS found_end,
    f.ugc_start - p.ugc_start AS start_error,
    f.ugc_end - p.ugc_end AS end_error,
    f.licensed_start - p.licensed_start AS licensed_start_error,
    f.licensed_end - p.licensed_end AS licensed_end_error,
    f.speed,
    f.score,
    f.modality,
    f.direction,
    f.precedes_licence,
    f.match_id
FROM planted AS p
FULL JOIN found AS f
  ON f.upload = p.upload
 AND f.licensed = p.licensed
 AND f.ugc_start < p.ugc_end
 AND f.ugc_end > p.ugc_start
ORDER BY upload, coalesce(p.ugc_start, f.ugc_start)
