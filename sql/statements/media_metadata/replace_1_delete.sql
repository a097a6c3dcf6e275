-- A file that was read speaks anew for all its media; one that could not be read leaves what its
-- last good version said.
DELETE FROM media_metadata
WHERE file_uri IN (SELECT uri FROM staged_metadata_file WHERE problem IS NULL)
   OR (media_uri, source, file_uri) IN (
    SELECT (media_uri, source, file_uri) FROM staged_media_metadata
)
