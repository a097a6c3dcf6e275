-- Every metric of every evaluation in long form. edit and strength are '' where all of them count;
-- low and high are the 95 % interval where there is one; is_latest marks the newest evaluation of
-- a configuration, which is the one that `evaluations` shows.
CREATE OR REPLACE VIEW evaluation_metrics AS
SELECT
    e.evaluation_id,
    e.run_id,
    e.set_name,
    e.modality,
    e.settings_changed,
    rank() OVER (
        PARTITION BY e.configuration_id ORDER BY e.ended_at DESC, e.evaluation_id
    ) = 1 AS is_latest,
    m.edit,
    m.strength,
    m.metric,
    m.value,
    m.low,
    m.high,
    e.ended_at
FROM evaluation AS e
JOIN evaluation_metric AS m ON m.evaluation_id = e.evaluation_id
