-- Whether there are matches that were never judged, as after a migration.
SELECT count(*) AS waiting
FROM match
WHERE match_id NOT IN (SELECT match_id FROM claim)
