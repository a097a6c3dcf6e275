-- What decisions and the rules in `judging_rule` make of `judging_match`, rows of the view
-- `matches`: either all of a pair or none, as shares are those of the pair.
CREATE OR REPLACE TEMP TABLE judged AS
WITH chosen AS MATERIALIZED (
    SELECT * FROM judging_match
),
standing AS (
    SELECT * FROM decision WHERE undone_at IS NULL
),
-- A verdict on a pair holds for what was found there again, by half of the shorter of the two; an
-- exclusion holds for every upload of which half or more lies in it.
spoken AS (
    SELECT * EXCLUDE (newest)
    FROM (
        SELECT
            *,
            row_number() OVER (
                PARTITION BY match_id ORDER BY decided_at DESC, decision_id DESC
            ) AS newest
        FROM (
            SELECT c.match_id, d.decision_id, d.verdict, d.note, d.decided_by, d.decided_at
            FROM chosen AS c
            JOIN standing AS d ON d.ugc_id = c.ugc_id AND d.licensed_id = c.licensed_id
            WHERE d.verdict <> 'exclude'
              AND least(c.licensed_end, d.licensed_end)
                - greatest(c.licensed_start, d.licensed_start)
               >= 0.5 * least(
                c.licensed_end - c.licensed_start, d.licensed_end - d.licensed_start
            )
            UNION ALL
            SELECT c.match_id, d.decision_id, d.verdict, d.note, d.decided_by, d.decided_at
            FROM chosen AS c
            JOIN standing AS d ON d.licensed_id = c.licensed_id
            WHERE d.verdict = 'exclude'
              AND least(c.licensed_end, d.licensed_end)
                - greatest(c.licensed_start, d.licensed_start)
               >= 0.5 * (c.licensed_end - c.licensed_start)
        )
    )
    WHERE newest = 1
),
-- Each stretch counts for what it adds to those that begin before it, so sums are of the union.
stretch AS (
    SELECT
        c.ugc_id,
        c.licensed_id,
        c.ugc_start,
        c.ugc_end,
        c.licensed_start,
        c.licensed_end,
        max(c.ugc_end) OVER (
            PARTITION BY c.ugc_id, c.licensed_id ORDER BY c.ugc_start, c.ugc_end, c.match_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS ugc_reached,
        max(c.licensed_end) OVER (
            PARTITION BY c.ugc_id, c.licensed_id
            ORDER BY c.licensed_start, c.licensed_end, c.match_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS licensed_reached
    FROM chosen AS c
    LEFT JOIN spoken AS s ON s.match_id = c.match_id
    WHERE s.verdict IS NULL OR s.verdict = 'confirm'
),
pair AS (
    SELECT
        ugc_id,
        licensed_id,
        count(*) AS segments,
        sum(greatest(0, ugc_end - greatest(ugc_start, coalesce(ugc_reached, ugc_start))))
            AS ugc_seconds,
        sum(greatest(
            0, licensed_end - greatest(licensed_start, coalesce(licensed_reached, licensed_start))
        )) AS licensed_seconds
    FROM stretch
    GROUP BY ugc_id, licensed_id
),
known AS (
    SELECT media_id, start_s, end_s FROM exclusion
    WHERE media_id IN (SELECT licensed_id FROM chosen)
    UNION ALL
    SELECT licensed_id, licensed_start, licensed_end FROM standing WHERE verdict = 'exclude'
),
apart AS (
    SELECT media_id, greatest(start_s, coalesce(reached, start_s)) AS start_s, end_s
    FROM (
        SELECT
            media_id,
            start_s,
            end_s,
            max(end_s) OVER (
                PARTITION BY media_id ORDER BY start_s, end_s
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS reached
        FROM known
    )
    WHERE reached IS NULL OR end_s > reached
),
excluded AS (
    SELECT
        c.match_id,
        sum(least(c.licensed_end, a.end_s) - greatest(c.licensed_start, a.start_s)) AS seconds
    FROM chosen AS c
    JOIN apart AS a
      ON a.media_id = c.licensed_id
     AND a.start_s < c.licensed_end
     AND a.end_s > c.licensed_start
    GROUP BY c.match_id
),
named AS (
    SELECT field, value, list(priority) AS rules
    FROM judging_value
    GROUP BY field, value
),
licensed_in AS (
    SELECT p.territories, list_distinct(flatten(list(n.rules))) AS rules
    FROM (
        SELECT DISTINCT territories, trim(unnest(string_split(territories, ','))) AS code
        FROM chosen
        WHERE territories IS NOT NULL
    ) AS p
    JOIN named AS n ON n.field = 'territories' AND n.value = p.code
    GROUP BY p.territories
),
rule AS (
    SELECT
        r.*,
        coalesce(v.modalities, false) AS modalities,
        coalesce(v.territories, false) AS territories,
        coalesce(v.uploaders, false) AS uploaders,
        coalesce(v.rights_holders, false) AS rights_holders,
        coalesce(v.titles, false) AS titles
    FROM judging_rule AS r
    LEFT JOIN (
        SELECT
            priority,
            bool_or(field = 'modalities') AS modalities,
            bool_or(field = 'territories') AS territories,
            bool_or(field = 'uploaders') AS uploaders,
            bool_or(field = 'rights_holders') AS rights_holders,
            bool_or(field = 'titles') AS titles
        FROM judging_value
        GROUP BY priority
    ) AS v ON v.priority = r.priority
),
facts AS MATERIALIZED (
    SELECT
        c.*,
        coalesce(p.segments, 0) AS pair_segments,
        coalesce(p.ugc_seconds, 0) AS pair_ugc_seconds,
        coalesce(p.licensed_seconds, 0) AS pair_licensed_seconds,
        CASE WHEN c.ugc_duration > 0
            THEN least(1.0, coalesce(p.ugc_seconds, 0) / c.ugc_duration)
        END AS share_of_upload,
        CASE WHEN c.licensed_duration > 0
            THEN least(1.0, coalesce(p.licensed_seconds, 0) / c.licensed_duration)
        END AS share_of_title,
        least(1.0, coalesce(e.seconds, 0) / (c.licensed_end - c.licensed_start))
            AS share_excluded,
        m.rules AS modality_rules,
        u.rules AS uploader_rules,
        h.rules AS holder_rules,
        l.rules AS title_rules,
        t.rules AS territory_rules
    FROM chosen AS c
    LEFT JOIN pair AS p ON p.ugc_id = c.ugc_id AND p.licensed_id = c.licensed_id
    LEFT JOIN excluded AS e ON e.match_id = c.match_id
    LEFT JOIN named AS m ON m.field = 'modalities' AND m.value = c.modality
    LEFT JOIN named AS u ON u.field = 'uploaders' AND u.value = c.uploader
    LEFT JOIN named AS h ON h.field = 'rights_holders' AND h.value = c.rights_holder
    LEFT JOIN named AS l ON l.field = 'titles' AND l.value = c.licensed_id
    LEFT JOIN licensed_in AS t ON t.territories = c.territories
),
-- What is unknown of a match fits no condition that asks for it; a title without territories is
-- licensed everywhere.
fitting AS (
    SELECT f.match_id, min(r.priority) AS priority
    FROM facts AS f
    JOIN rule AS r
      ON (r.min_length IS NULL OR f.length >= r.min_length)
     AND (r.max_length IS NULL OR f.length < r.max_length)
     AND (r.min_score IS NULL OR f.score >= r.min_score)
     AND (r.max_score IS NULL OR f.score < r.max_score)
     AND (r.min_share_of_upload IS NULL OR f.share_of_upload >= r.min_share_of_upload)
     AND (r.max_share_of_upload IS NULL OR f.share_of_upload < r.max_share_of_upload)
     AND (r.min_share_of_title IS NULL OR f.share_of_title >= r.min_share_of_title)
     AND (r.max_share_of_title IS NULL OR f.share_of_title < r.max_share_of_title)
     AND (r.min_share_excluded IS NULL OR f.share_excluded >= r.min_share_excluded)
     AND (r.precedes_licence IS NULL OR coalesce(f.precedes_licence, false) = r.precedes_licence)
     AND (r.licence_ended IS NULL OR coalesce(f.licence_ended, false) = r.licence_ended)
     AND (NOT r.modalities OR list_contains(f.modality_rules, r.priority))
     AND (NOT r.uploaders OR list_contains(f.uploader_rules, r.priority))
     AND (NOT r.rights_holders OR list_contains(f.holder_rules, r.priority))
     AND (NOT r.titles OR list_contains(f.title_rules, r.priority))
     AND (
        NOT r.territories
        OR f.territories IS NULL
        OR list_contains(f.territory_rules, r.priority)
    )
    GROUP BY f.match_id
)
SELECT
    f.* EXCLUDE (modality_rules, uploader_rules, holder_rules, title_rules, territory_rules),
    CASE
        WHEN s.verdict = 'confirm' THEN 'block'
        WHEN s.verdict IN ('reject', 'exclude') THEN 'ignore'
        ELSE coalesce(r.action, 'review')
    END AS action,
    CASE WHEN s.verdict IS NULL THEN coalesce(r.name, 'none') ELSE 'decision' END AS rule,
    CASE s.verdict
        WHEN 'confirm' THEN 'confirmed by ' || s.decided_by
        WHEN 'reject' THEN 'rejected by ' || s.decided_by
        WHEN 'exclude' THEN 'this part of the title was excluded by ' || s.decided_by
        ELSE coalesce(r.reason, 'no rule fits')
    END AS reason,
    (SELECT coalesce(max(policy_version), 0) FROM judging_rule) AS policy_version,
    s.verdict AS decision,
    s.decision_id,
    s.note AS decision_note,
    s.decided_by,
    s.decided_at
FROM facts AS f
LEFT JOIN spoken AS s ON s.match_id = f.match_id
LEFT JOIN fitting AS b ON b.match_id = f.match_id
LEFT JOIN rule AS r ON r.priority = b.priority
