DELETE FROM index_entry
WHERE (index_name, fingerprinter, media_id) IN (
    SELECT (index_name, fingerprinter, media_id) FROM staged_index_entry
)
