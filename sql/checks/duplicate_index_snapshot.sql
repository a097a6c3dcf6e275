SELECT snapshot_id, count(*) AS copies
FROM index_snapshot
GROUP BY snapshot_id
HAVING count(*) > 1
