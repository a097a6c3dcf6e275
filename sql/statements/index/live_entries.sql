SELECT media_id, first_version
FROM index_entry
WHERE index_name = $index_name
  AND fingerprinter = $fingerprinter
  AND removed_version IS NULL
ORDER BY media_id
