-- The days of searchable uploads and how much was uploaded on each.
SELECT
    coalesce(strftime(m.uploaded_at AT TIME ZONE 'UTC', '%Y-%m-%d'), '') AS day,
    coalesce(sum(c.duration), 0) AS seconds
FROM media AS m
LEFT JOIN media_content AS c ON c.media_id = m.media_id
WHERE m.role = 'ugc'
  AND EXISTS (
    FROM index_entry AS e
    WHERE e.media_id = m.media_id
      AND e.removed_version IS NULL
      AND e.fingerprinter IN ($audio_fingerprinter::VARCHAR, $video_fingerprinter::VARCHAR)
)
GROUP BY day
ORDER BY day
