-- What a second of media weighs, by the suffix of its key, as measured so far.
SELECT
    lower(regexp_extract(m.uri, '\.([A-Za-z0-9]{1,5})$', 1)) AS suffix,
    sum(m.size_bytes) / sum(c.duration) AS rate
FROM media AS m
JOIN media_content AS c ON c.media_id = m.media_id
WHERE c.duration > 0
GROUP BY suffix
HAVING sum(c.duration) >= $enough::DOUBLE
ORDER BY suffix
