-- How many claims pass the filters, in all and by what people sort them by.
SELECT
    count(*) AS claims,
    count(DISTINCT ugc_id) AS uploads,
    count(DISTINCT licensed_id) AS titles,
    coalesce(sum(length), 0) AS seconds,
    count(*) FILTER (action = 'block') AS block,
    count(*) FILTER (action = 'review') AS review,
    count(*) FILTER (action = 'track') AS track,
    count(*) FILTER (action = 'ignore') AS ignore,
    count(*) FILTER (action = 'review' AND decision IS NULL) AS waiting
FROM (
    -- include page/chosen
)
