-- Whether the platform keeps up: what waits, since when nothing was done, and what fails.
SELECT 'waiting for ' || part AS measure, waiting::DOUBLE AS value FROM freshness
UNION ALL
SELECT 'hours since ' || part, hours_ago FROM freshness
UNION ALL
SELECT 'errors ' || stage || ' ' || error_class, media::DOUBLE FROM error_classes
UNION ALL
SELECT 'x real time ' || stage, arg_max(x_realtime, day) FROM stage_costs GROUP BY stage
ORDER BY measure
