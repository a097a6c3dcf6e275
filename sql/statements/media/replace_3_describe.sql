-- The descriptive columns of every media of which something else is said now than before. Runs
-- before `media_metadata` itself is replaced, so that what is no longer said is seen as well.
-- Manifest before sidecar before object; of two manifests the one in the deeper folder.
WITH affected AS (
    SELECT media_uri FROM staged_media_metadata
    UNION
    SELECT uri AS media_uri FROM staged_media
    UNION
    SELECT media_uri
    FROM media_metadata
    WHERE file_uri IN (SELECT uri FROM staged_metadata_file WHERE problem IS NULL)
),
said AS (
    SELECT *
    FROM media_metadata
    WHERE media_uri IN (FROM affected)
      AND file_uri NOT IN (SELECT uri FROM staged_metadata_file WHERE problem IS NULL)
      AND (media_uri, source, file_uri) NOT IN (
        SELECT (media_uri, source, file_uri) FROM staged_media_metadata
    )
    UNION ALL BY NAME
    FROM staged_media_metadata
),
ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY media_uri
            ORDER BY
                CASE source WHEN 'manifest' THEN 1 WHEN 'sidecar' THEN 2 ELSE 3 END,
                length(regexp_replace(file_uri, '[^/]*$', '')) DESC,
                file_uri DESC,
                read_at DESC
        ) AS place
    FROM said
),
best AS (
    -- arg_min leaves out NULL: a source that does not say is asked no further.
    SELECT
        media_uri,
        arg_min(title, place) AS title,
        arg_min(rights_holder, place) AS rights_holder,
        arg_min(territories, place) AS territories,
        arg_min(licensed_from, place) AS licensed_from,
        arg_min(licensed_until, place) AS licensed_until,
        arg_min(uploader, place) AS uploader,
        arg_min(uploaded_at, place) AS uploaded_at,
        arg_min(views, place) AS views
    FROM ranked
    GROUP BY media_uri
)
UPDATE media
SET
    title = coalesce(b.title, media.title),
    rights_holder = b.rights_holder,
    territories = b.territories,
    licensed_from = b.licensed_from,
    licensed_until = b.licensed_until,
    uploader = b.uploader,
    uploaded_at = b.uploaded_at,
    views = b.views
FROM best AS b
WHERE media.uri = b.media_uri AND media.gone_at IS NULL
