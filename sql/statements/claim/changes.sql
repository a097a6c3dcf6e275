-- Claims as they are against claims as `judged` has them, by title and action.
SELECT
    c.licensed_id,
    c.licensed_title,
    c.action AS before,
    j.action AS after,
    j.rule,
    count(*) AS matches,
    count(DISTINCT c.ugc_id) AS uploads
FROM claim AS c
JOIN judged AS j ON j.match_id = c.match_id
GROUP BY ALL
ORDER BY matches DESC, c.licensed_id, before, after, j.rule
