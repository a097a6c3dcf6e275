-- Quality by configuration, the newest first.
SELECT
    set_name AS "set",
    modality,
    settings_changed AS changed,
    round(final, 4) AS final,
    round(final_low, 4) AS low,
    round(final_high, 4) AS high,
    round(found, 4) AS found,
    round(boundary_median_s, 3) AS boundary_s,
    round(fp_per_clean_hour, 3) AS fp_per_h,
    uploads,
    strftime(ended_at, '%Y-%m-%d %H:%M') AS measured
FROM evaluations
ORDER BY ended_at DESC, set_name, modality, settings_changed
