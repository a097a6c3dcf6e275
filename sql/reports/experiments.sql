-- The newest sweep: which of its points wins on which metric, and whether that is chance.
SELECT
    metric,
    place,
    point,
    round(value, 4) AS value,
    round(gain, 4) AS gain,
    round(gain_low, 4) AS gain_low,
    round(gain_high, 4) AS gain_high,
    real
FROM experiments
WHERE run_id = (SELECT arg_max(run_id, ended_at) FROM experiments)
ORDER BY metric, place, point
