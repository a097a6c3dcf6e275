-- Manifests and sidecars read so far in a stretch of a role's keys.
SELECT *
FROM metadata_file
WHERE role = $role AND starts_with(uri, $base) AND uri > $after AND uri <= $until
  AND gone_at IS NULL
ORDER BY uri
