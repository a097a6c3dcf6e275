-- Of the media that were first looked at since $since, how many have nothing usable.
SELECT count(*) AS media, count(*) FILTER (NOT usable) AS failed
FROM (
    SELECT media_id, bool_or(status NOT IN ('error')) AS usable
    FROM media_fingerprint
    GROUP BY media_id
    HAVING min(fingerprinted_at) >= $since::TIMESTAMPTZ
)
