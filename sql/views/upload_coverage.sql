-- How much of an upload is from any title: seconds that two titles claim count once.
CREATE OR REPLACE VIEW upload_coverage AS
WITH stretch AS (
    SELECT
        ugc_id,
        ugc_title,
        uploader,
        licensed_id,
        ugc_start,
        ugc_end,
        ugc_duration,
        max(ugc_end) OVER (
            PARTITION BY ugc_id ORDER BY ugc_start, ugc_end, match_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS reached
    FROM claim
    WHERE decision IS NULL OR decision = 'confirm'
)
SELECT
    ugc_id,
    any_value(ugc_title) AS ugc_title,
    any_value(uploader) AS uploader,
    count(DISTINCT licensed_id) AS titles,
    count(*) AS segments,
    sum(greatest(0, ugc_end - greatest(ugc_start, coalesce(reached, ugc_start)))) AS copied_seconds,
    any_value(ugc_duration) AS ugc_duration,
    CASE WHEN any_value(ugc_duration) > 0 THEN least(
        1.0,
        sum(greatest(0, ugc_end - greatest(ugc_start, coalesce(reached, ugc_start))))
            / any_value(ugc_duration)
    ) END AS share_of_upload
FROM stretch
GROUP BY ugc_id
