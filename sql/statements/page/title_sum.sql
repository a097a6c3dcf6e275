-- A title or an upload in numbers; the other side's media are counted.
SELECT
    count(*) AS claims,
    count(DISTINCT CASE WHEN licensed_id = $media_id THEN ugc_id ELSE licensed_id END) AS others,
    coalesce(sum(length), 0) AS seconds,
    coalesce(sum(views), 0) AS views,
    count(*) FILTER (action = 'block') AS block,
    count(*) FILTER (action = 'review') AS review,
    count(*) FILTER (action = 'track') AS track,
    count(*) FILTER (action = 'ignore') AS ignore
FROM claims
WHERE licensed_id = $media_id OR ugc_id = $media_id
