-- A late, older scan must not take back what a newer one covered; a scan of some days covers
-- what an older one saw of a part of them.
DELETE FROM match_scan
WHERE EXISTS (
    FROM staged_match_scan AS s
    WHERE s.probe_id = match_scan.probe_id
      AND s.direction = match_scan.direction
      AND s.modality = match_scan.modality
      AND s.fingerprinter = match_scan.fingerprinter
      AND s.matcher_version = match_scan.matcher_version
      AND s.searched_version >= match_scan.searched_version
      AND (s.first_day IS NULL
        OR (match_scan.first_day >= s.first_day AND match_scan.last_day <= s.last_day))
)
