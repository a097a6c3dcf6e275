INSERT INTO media_fingerprint BY NAME
SELECT *
FROM staged_media_fingerprint
QUALIFY row_number() OVER (
    PARTITION BY media_id, modality, fingerprinter ORDER BY fingerprinted_at DESC
) = 1
