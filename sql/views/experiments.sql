-- The points of each parameter sweep side by side, one row per overall metric and point.
--   point   JSON of the settings that the point changed; '{}' is the settings in force
--   place   1 is the best value of the metric in its sweep, equal values share a place
--   wins    the best; where several are equally good all of them
--   apart   the 95 % interval of the point does not meet that of the best one. Two points that
--           overlap may still differ: intervals are wide, as each is of one point alone
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
        ) END AS place,
        first(low) OVER best AS best_low,
        first(high) OVER best AS best_high
    FROM measured
    WINDOW best AS (PARTITION BY run_id, metric ORDER BY merit DESC NULLS LAST, point)
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
    low > best_high OR high < best_low AS apart,
    evaluation_id,
    ended_at
FROM placed
