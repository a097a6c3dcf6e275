SELECT probe_id, direction, modality, fingerprinter, matcher_version, count(*) AS copies
FROM match_scan
GROUP BY probe_id, direction, modality, fingerprinter, matcher_version
HAVING count(*) > 1
