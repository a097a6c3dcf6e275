-- Media that are described in another way now than in their claims.
SELECT DISTINCT m.media_id
FROM claim AS c
JOIN media AS m ON m.media_id = c.ugc_id
WHERE m.title IS DISTINCT FROM c.ugc_title
   OR m.uri IS DISTINCT FROM c.ugc_uri
   OR m.uploaded_at IS DISTINCT FROM c.uploaded_at
   OR m.uploader IS DISTINCT FROM c.uploader
   OR m.views IS DISTINCT FROM c.views
UNION
SELECT DISTINCT m.media_id
FROM claim AS c
JOIN media AS m ON m.media_id = c.licensed_id
WHERE m.title IS DISTINCT FROM c.licensed_title
   OR m.uri IS DISTINCT FROM c.licensed_uri
   OR m.licensed_from IS DISTINCT FROM c.licensed_from
   OR m.licensed_until IS DISTINCT FROM c.licensed_until
   OR m.rights_holder IS DISTINCT FROM c.rights_holder
   OR m.territories IS DISTINCT FROM c.territories
