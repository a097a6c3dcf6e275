INSERT INTO index_entry BY NAME
SELECT *
FROM staged_index_entry
QUALIFY row_number() OVER (
    PARTITION BY index_name, fingerprinter, media_id
    ORDER BY greatest(first_version, coalesce(removed_version, 0)) DESC
) = 1
