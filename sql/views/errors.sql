-- Media that could not be processed, newest first when sorted by occurred_at.
CREATE OR REPLACE VIEW errors AS
SELECT
    e.media_id,
    m.role,
    m.uri,
    e.stage,
    e.error_class,
    e.message,
    e.terminal,
    e.occurred_at
FROM media_error AS e
LEFT JOIN media AS m ON m.media_id = e.media_id
