SELECT name, count(*) AS copies
FROM migration
GROUP BY name
HAVING count(*) > 1
