SELECT media_id, modality, fingerprinter, count(*) AS copies
FROM media_fingerprint
GROUP BY media_id, modality, fingerprinter
HAVING count(*) > 1
