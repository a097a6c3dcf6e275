-- What came into the catalog while a run ran.
SELECT
    (SELECT count(*) FROM media WHERE discovered_at >= $began AND discovered_at < $ended)
        AS discovered,
    (SELECT count(DISTINCT media_id) FROM media_fingerprint
     WHERE fingerprinted_at >= $began AND fingerprinted_at < $ended) AS fingerprinted,
    (SELECT count(*) FROM claims WHERE found_at >= $began AND found_at < $ended
     AND ($direction IS NULL OR direction = $direction)) AS found,
    (SELECT count(*) FROM snapshots WHERE published_at >= $began AND published_at < $ended)
        AS snapshots
