-- How good the matching is: the newest evaluation of each configuration.
--   run_id             the run that measured it; experiment: it was one point of a sweep
--   set_name, split    benchmark set, and the split of the public sources that it is made of
--   modality           audio, video or both: the streams that were looked at
--   edits              what the uploads were restricted to, comma-joined; '' is all of them
--   settings_changed   JSON of the settings that differ from those AVM comes with
--   final … found      overall metrics (docs/benchmarks.md), final with its 95 % interval
--   seconds            worker seconds that fingerprinting and matching took, reused work included
CREATE OR REPLACE VIEW evaluations AS
WITH newest AS (
    SELECT *
    FROM evaluation
    QUALIFY row_number() OVER (
        PARTITION BY configuration_id ORDER BY ended_at DESC, evaluation_id
    ) = 1
),
overall AS (
    SELECT
        evaluation_id,
        max(value) FILTER (metric = 'final') AS final,
        max(low) FILTER (metric = 'final') AS final_low,
        max(high) FILTER (metric = 'final') AS final_high,
        max(value) FILTER (metric = 'f1') AS f1,
        max(value) FILTER (metric = 'iou') AS iou,
        max(value) FILTER (metric = 'vcsl_f1') AS vcsl_f1,
        max(value) FILTER (metric = 'micro_ap') AS micro_ap,
        max(value) FILTER (metric = 'found') AS found,
        max(value) FILTER (metric = 'boundary_median_s') AS boundary_median_s,
        max(value) FILTER (metric = 'fp_per_clean_hour') AS fp_per_clean_hour
    FROM evaluation_metric
    WHERE edit = '' AND strength = ''
    GROUP BY evaluation_id
)
SELECT
    e.evaluation_id,
    e.run_id,
    e.experiment,
    e.set_name,
    e.split,
    e.modality,
    e.edits,
    e.audio_fingerprinter,
    e.video_fingerprinter,
    e.matcher_version,
    e.settings_changed,
    o.final,
    o.final_low,
    o.final_high,
    o.f1,
    o.iou,
    o.vcsl_f1,
    o.micro_ap,
    o.found,
    o.boundary_median_s,
    o.fp_per_clean_hour,
    e.titles,
    e.uploads,
    e.media_seconds,
    e.seconds,
    e.started_at,
    e.ended_at
FROM newest AS e
LEFT JOIN overall AS o ON o.evaluation_id = e.evaluation_id
