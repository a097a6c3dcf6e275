SELECT unit_id, count(*) AS copies
FROM commit_ledger
GROUP BY unit_id
HAVING count(*) > 1
