DELETE FROM metadata_file WHERE uri IN (SELECT uri FROM staged_metadata_file)
