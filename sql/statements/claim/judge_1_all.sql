SELECT count(*) AS judging
FROM match
