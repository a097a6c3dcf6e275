INSERT INTO match_scan BY NAME
SELECT s.*
FROM staged_match_scan AS s
WHERE NOT EXISTS (
    FROM match_scan AS newer
    WHERE newer.probe_id = s.probe_id
      AND newer.direction = s.direction
      AND newer.modality = s.modality
      AND newer.fingerprinter = s.fingerprinter
      AND newer.matcher_version = s.matcher_version
      AND newer.searched_version > s.searched_version
      AND (newer.first_day IS NULL
        OR (s.first_day >= newer.first_day AND s.last_day <= newer.last_day))
)
QUALIFY row_number() OVER (
    PARTITION BY
        s.probe_id, s.direction, s.modality, s.fingerprinter, s.matcher_version,
        s.first_day, s.last_day
    ORDER BY s.searched_version DESC, s.scanned_at DESC
) = 1
