-- When each part of the platform last did something, and how long ago; `waiting` is what the stage
-- has not done yet, of backlog.
CREATE OR REPLACE VIEW freshness AS
WITH last AS (
    SELECT 'discover' AS part, max(discovered_at) AS last_at FROM media
    UNION ALL
    SELECT 'fingerprint', max(fingerprinted_at) FROM media_fingerprint
    UNION ALL
    SELECT 'publish', max(published_at) FROM index_snapshot
    UNION ALL
    SELECT 'match', max(scanned_at) FILTER (direction = 'forward') FROM match_scan
    UNION ALL
    SELECT 'rematch', max(scanned_at) FILTER (direction = 'reverse') FROM match_scan
    UNION ALL
    SELECT 'review', max(decided_at) FROM decision
    UNION ALL
    SELECT 'policy', max(saved_at) FROM policy
),
pending AS (
    SELECT stage AS part, waiting FROM backlog
    UNION ALL
    SELECT 'review', count(*) FROM review_queue
)
SELECT
    l.part,
    l.last_at,
    epoch(now() - l.last_at) / 3600 AS hours_ago,
    coalesce(p.waiting, 0) AS waiting
FROM last AS l
LEFT JOIN pending AS p ON p.part = l.part
