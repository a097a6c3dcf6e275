-- Media by id, by URI, or by title; several versions of an object have one URI.
SELECT n.name, m.media_id, m.role, m.uri, m.title, n.name = m.title AS by_title
FROM (SELECT DISTINCT unnest($names::VARCHAR[]) AS name) AS n
JOIN media AS m ON n.name IN (m.media_id, m.uri, m.title)
ORDER BY n.name, m.role, m.uri, m.media_id
