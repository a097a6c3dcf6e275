-- What goes wrong, how often, and in how much of what arrived.
CREATE OR REPLACE VIEW error_classes AS
SELECT
    stage,
    error_class,
    terminal,
    count(*) AS media,
    count(*) / (SELECT nullif(count(*), 0) FROM media) AS share_of_media,
    min(occurred_at) AS first_at,
    max(occurred_at) AS last_at,
    arg_max(message, occurred_at) AS last_message
FROM media_error
GROUP BY stage, error_class, terminal
