-- Together these two change whenever the exclusions do.
SELECT
    (SELECT count(*) FROM exclusion) AS known,
    (SELECT count(*) FROM exclusion_past) AS ended
