-- How intake of each role is doing. `backlog_hours` is how long the oldest media that waits for
-- its fingerprints has waited; `alert` says what is wrong, NULL while all is well.
CREATE OR REPLACE VIEW intake AS
WITH current AS (
    SELECT modality, arg_max(fingerprinter, fingerprinted_at) AS fingerprinter
    FROM media_fingerprint
    GROUP BY modality
),
failed AS (
    SELECT
        media_id,
        bool_or(next_attempt_at IS NOT NULL) AS again,
        bool_or(next_attempt_at IS NULL AND stage <> 'decode') AS given_up
    FROM media_error
    GROUP BY media_id
),
state AS (
    SELECT
        m.role,
        m.gone_at IS NOT NULL AS gone,
        m.gone_at IS NULL AND coalesce(f.again, false) AS retrying,
        m.gone_at IS NULL AND coalesce(f.given_up, false) AS given_up,
        m.gone_at IS NULL AND NOT coalesce(f.again, false) AND (
            NOT EXISTS (FROM media_fingerprint AS p WHERE p.media_id = m.media_id)
            OR EXISTS (
                FROM current AS c
                WHERE NOT EXISTS (
                    FROM media_fingerprint AS p
                    WHERE p.media_id = m.media_id AND p.fingerprinter = c.fingerprinter
                )
            )
        ) AS waiting,
        m.size_bytes,
        m.discovered_at
    FROM media AS m
    LEFT JOIN failed AS f ON f.media_id = m.media_id
),
counted AS (
    SELECT
        role,
        count(*) FILTER (NOT gone) AS media,
        count(*) FILTER (gone) AS gone,
        count(*) FILTER (waiting) AS waiting,
        coalesce(sum(size_bytes) FILTER (waiting), 0)::BIGINT AS waiting_bytes,
        count(*) FILTER (retrying) AS retrying,
        count(*) FILTER (given_up) AS given_up,
        coalesce(
            date_diff('second', min(discovered_at) FILTER (waiting), now()) / 3600.0, 0.0
        ) AS backlog_hours
    FROM state
    GROUP BY role
)
SELECT
    *,
    CASE
        WHEN backlog_hours > 24 THEN format(
            '{} {} media wait for fingerprints, the oldest for {:.0f} h: add devices or workers '
            || 'to the pool gpu, or see the runs of avm_fingerprint',
            waiting, role, backlog_hours
        )
    END AS alert
FROM counted
