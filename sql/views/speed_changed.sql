-- Copies played faster or slower by a hundredth or more; speed is title seconds per upload second.
CREATE OR REPLACE VIEW speed_changed AS
SELECT
    match_id,
    ugc_id,
    ugc_title,
    licensed_id,
    licensed_title,
    speed,
    100 * (speed - 1) AS percent,
    length,
    score,
    modality,
    action
FROM claim
WHERE abs(speed - 1) >= 0.01
