SELECT *
FROM errors
WHERE occurred_at >= $began AND occurred_at < $ended
ORDER BY occurred_at DESC
LIMIT 50
