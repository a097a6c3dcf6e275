-- What could not be processed, and why; the newest first.
SELECT uri, role, stage, error_class, message, terminal, occurred_at
FROM errors
ORDER BY occurred_at DESC, uri, stage
