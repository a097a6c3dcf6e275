-- What each stage took, by day: hours of media, hours of work of all tasks together, and media time
-- per time of work.
CREATE OR REPLACE VIEW stage_costs AS
SELECT
    stage,
    date_trunc('day', finished_at) AS day,
    count(*) AS units,
    sum(media) AS media,
    sum(media_seconds) / 3600 AS media_hours,
    sum(work_seconds) / 3600 AS work_hours,
    sum(media_seconds) / nullif(sum(work_seconds), 0) AS x_realtime,
    sum(work_seconds) / nullif(sum(media), 0) AS seconds_per_media
FROM unit_cost
GROUP BY stage, date_trunc('day', finished_at)
