-- Each snapshot against the one that it was made from, and how many matches it has given.
CREATE OR REPLACE VIEW index_lineage AS
WITH added AS (
    SELECT index_name, fingerprinter, first_version AS version, count(*) AS media
    FROM index_entry
    GROUP BY index_name, fingerprinter, first_version
),
dropped AS (
    SELECT index_name, fingerprinter, removed_version AS version, count(*) AS media
    FROM index_entry
    WHERE removed_version IS NOT NULL
    GROUP BY index_name, fingerprinter, removed_version
),
used AS (
    SELECT snapshot_id, count(*) AS matches
    FROM (
        SELECT audio_snapshot AS snapshot_id FROM match
        UNION ALL
        SELECT video_snapshot FROM match
    )
    GROUP BY snapshot_id
)
SELECT
    s.snapshot_id,
    s.index_name,
    s.version,
    s.fingerprinter,
    s.parent_id,
    p.version AS parent_version,
    s.windows,
    s.windows - coalesce(p.windows, 0) AS windows_more,
    coalesce(a.media, 0) AS media_added,
    coalesce(d.media, 0) AS media_removed,
    coalesce(u.matches, 0) AS matches,
    s.published_at
FROM index_snapshot AS s
LEFT JOIN index_snapshot AS p ON p.snapshot_id = s.parent_id
LEFT JOIN added AS a
  ON a.index_name = s.index_name AND a.fingerprinter = s.fingerprinter AND a.version = s.version
LEFT JOIN dropped AS d
  ON d.index_name = s.index_name AND d.fingerprinter = s.fingerprinter AND d.version = s.version
LEFT JOIN used AS u ON u.snapshot_id = s.snapshot_id
