-- Claims that wait for a person: the most watched first, then the longest. `waiting_since` is when
-- the match was found.
CREATE OR REPLACE VIEW review_queue AS
SELECT
    row_number() OVER (
        ORDER BY coalesce(views, 0) DESC, length DESC, found_at, match_id
    ) AS place,
    found_at AS waiting_since,
    *
FROM claim
WHERE action = 'review' AND decision IS NULL
