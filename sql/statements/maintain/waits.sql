-- Per stage how long the media that waits longest has waited, in hours; nothing where none waits.
WITH living AS (
    SELECT m.media_id, m.role, m.discovered_at
    FROM media AS m
    WHERE NOT EXISTS (FROM removal AS r WHERE r.media_id = m.media_id)
),
made AS (
    SELECT media_id, max(fingerprinted_at) AS made_at
    FROM media_fingerprint
    WHERE status = 'ok' AND fingerprinter IN ($audio_fingerprinter, $video_fingerprinter)
    GROUP BY media_id
),
waiting AS (
    SELECT 'fingerprint' AS stage, l.media_id, l.discovered_at AS since
    FROM living AS l
    WHERE NOT EXISTS (FROM media_fingerprint AS f WHERE f.media_id = l.media_id)
    UNION ALL
    SELECT 'publish' AS stage, l.media_id, f.made_at AS since
    FROM living AS l
    JOIN made AS f ON f.media_id = l.media_id
    WHERE NOT EXISTS (FROM index_entry AS e WHERE e.media_id = l.media_id)
    UNION ALL
    SELECT 'match' AS stage, l.media_id, f.made_at AS since
    FROM living AS l
    JOIN made AS f ON f.media_id = l.media_id
    WHERE l.role = 'ugc'
      AND NOT EXISTS (
        FROM match_scan AS s WHERE s.probe_id = l.media_id AND s.direction = 'forward'
    )
)
SELECT
    stage,
    count(*) AS waiting,
    arg_min(media_id, since) AS media_id,
    date_diff('second', min(since), $now::TIMESTAMPTZ) / 3600.0 AS hours
FROM waiting
GROUP BY stage
ORDER BY stage
