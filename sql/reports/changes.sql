-- What began and ended, night by night.
SELECT date_trunc('day', happened_at) AS day, event, reason, count(*) AS matches,
    count(DISTINCT ugc_id) AS uploads, count(DISTINCT licensed_id) AS titles
FROM match_history
GROUP BY ALL
ORDER BY day DESC, event, reason
