DELETE FROM commit_ledger WHERE unit_id IN (SELECT unit_id FROM staged_commit_ledger)
