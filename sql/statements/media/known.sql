-- What the inventory has of a stretch of a role's keys, in the order of a listing.
SELECT *
FROM media
WHERE role = $role AND starts_with(uri, $base) AND uri > $after AND uri <= $until
ORDER BY uri, media_id
