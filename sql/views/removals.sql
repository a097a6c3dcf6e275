-- Media that were taken down. `artefacts` counts the fingerprints that are still stored: 0 once
-- the grace period is over and maintenance has run.
CREATE OR REPLACE VIEW removals AS
WITH stored AS (
    SELECT media_id, count(*) AS artefacts
    FROM media_fingerprint
    WHERE artefact_uri IS NOT NULL
    GROUP BY media_id
)
SELECT
    r.media_id,
    m.role,
    m.title,
    m.uri,
    r.reason,
    r.removed_by,
    r.removed_at,
    coalesce(s.artefacts, 0) AS artefacts
FROM removal AS r
LEFT JOIN media AS m ON m.media_id = r.media_id
LEFT JOIN stored AS s ON s.media_id = r.media_id
