-- The points of each parameter sweep side by side, one row per overall metric and point.
--   point   JSON of the settings that the point changed; '{}' is the settings in force
--   place   1 is the best value of the metric in its sweep, equal values share a place
--   wins    the best; where several are equally good all of them
--   gain    value minus that of the sweep's first point, which is the settings in force unless
--           the sweep left them out; with its 95 % interval on the same draws of uploads
--   real    that interval lies on one side of 0: the difference is not chance
CREATE OR REPLACE VIEW experiments AS
WITH measured AS (
    SELECT
        e.run_id,
        e.set_name,
        e.modality,
        e.edits,
        e.point,
        m.metric,
        m.value,
        m.low,
        m.high,
        m.gain,
        m.gain_low,
        m.gain_high,
        CASE
            WHEN m.metric IN ('boundary_median_s', 'fp_per_clean_hour') THEN -m.value
            ELSE m.value
        END AS merit,
        e.evaluation_id,
        e.ended_at
    FROM evaluation AS e
    JOIN evaluation_metric AS m ON m.evaluation_id = e.evaluation_id
    WHERE e.experiment
      AND m.edit = ''
      AND m.strength = ''
      AND m.metric IN (
        'final', 'f1', 'iou', 'vcsl_f1', 'micro_ap', 'found', 'boundary_median_s',
        'fp_per_clean_hour'
    )
),
placed AS (
    SELECT
        *,
        CASE WHEN merit IS NOT NULL THEN rank() OVER (
            PARTITION BY run_id, metric ORDER BY merit DESC NULLS LAST
        ) END AS place
    FROM measured
)
SELECT
    run_id,
    set_name,
    modality,
    edits,
    metric,
    point,
    value,
    low,
    high,
    place,
    coalesce(place = 1, false) AS wins,
    gain,
    gain_low,
    gain_high,
    gain_low > 0 OR gain_high < 0 AS real,
    evaluation_id,
    ended_at
FROM placed
