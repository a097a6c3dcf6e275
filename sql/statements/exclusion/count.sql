-- Grows with everything that changes what is excluded, an exclusion taken back included.
SELECT count(*) + (
    SELECT count(*) + count(undone_at) FROM decision WHERE verdict = 'exclude'
) AS known
FROM exclusion
