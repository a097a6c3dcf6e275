-- Which point of each sweep wins on which metric, the newest sweep first.
SELECT
    run_id,
    set_name,
    modality,
    metric,
    place,
    point,
    value,
    low,
    high,
    wins,
    gain,
    gain_low,
    gain_high,
    real
FROM experiments
ORDER BY max(ended_at) OVER (PARTITION BY run_id) DESC, run_id, metric, place, point
