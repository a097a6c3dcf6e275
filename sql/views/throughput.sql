-- Hours of media that came through each stage per hour of the clock, hour by hour: 24 or more in a
-- busy hour keep up with a day of uploads.
CREATE OR REPLACE VIEW throughput AS
SELECT
    stage,
    date_trunc('hour', finished_at) AS hour,
    sum(media) AS media,
    sum(media_seconds) / 3600 AS x_realtime
FROM unit_cost
GROUP BY stage, date_trunc('hour', finished_at)
