-- How many claims cover each of $bins equal parts of a media of $duration seconds.
WITH spans AS (
    SELECT
        CASE WHEN licensed_id = $media_id THEN licensed_start ELSE ugc_start END AS start_s,
        CASE WHEN licensed_id = $media_id THEN licensed_end ELSE ugc_end END AS end_s
    FROM claims
    WHERE (licensed_id = $media_id OR ugc_id = $media_id) AND action <> 'ignore'
),
bins AS (
    SELECT
        greatest(floor(start_s / $duration * $bins), 0)::INTEGER AS first_bin,
        least(ceil(end_s / $duration * $bins) - 1, $bins - 1)::INTEGER AS last_bin
    FROM spans
)
SELECT bin, count(*) AS claims
FROM (SELECT unnest(range(first_bin, last_bin + 1)) AS bin FROM bins)
GROUP BY bin
ORDER BY bin
