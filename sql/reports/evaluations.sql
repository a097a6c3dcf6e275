-- Quality by configuration, the newest first.
SELECT
    set_name,
    modality,
    edits,
    settings_changed,
    final,
    final_low,
    final_high,
    f1,
    iou,
    vcsl_f1,
    found,
    boundary_median_s,
    fp_per_clean_hour,
    uploads,
    seconds,
    ended_at
FROM evaluations
ORDER BY ended_at DESC, set_name, modality, settings_changed
