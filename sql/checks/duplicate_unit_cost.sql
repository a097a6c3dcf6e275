SELECT unit_id, count(*) AS copies
FROM unit_cost
GROUP BY unit_id
HAVING count(*) > 1
