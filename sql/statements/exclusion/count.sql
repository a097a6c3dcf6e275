-- Together these two change whenever what is excluded does, an exclusion taken back included.
SELECT
    (SELECT count(*) FROM exclusion) + (
        SELECT count(*) + count(undone_at) FROM decision WHERE verdict = 'exclude'
    ) AS known,
    (SELECT count(*) FROM exclusion_past) AS ended
