-- Counts that say how the installation is doing.
SELECT 'media ' || role || ' ' || state AS measure, count(*)::DOUBLE AS value
FROM media_status
GROUP BY role, state
UNION ALL
SELECT 'waiting for ' || stage AS measure, waiting::DOUBLE AS value
FROM backlog
UNION ALL
SELECT 'matches ' || modality AS measure, count(*)::DOUBLE AS value
FROM matches
GROUP BY modality
UNION ALL
SELECT 'matched hours of uploads' AS measure, coalesce(sum(length), 0) / 3600 AS value
FROM matches
UNION ALL
SELECT 'windows in ' || index_name AS measure, windows::DOUBLE AS value
FROM snapshots
WHERE is_current
ORDER BY measure
