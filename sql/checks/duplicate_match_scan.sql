SELECT
    probe_id, direction, modality, fingerprinter, matcher_version, first_day, last_day,
    count(*) AS copies
FROM match_scan
GROUP BY ALL
HAVING count(*) > 1
