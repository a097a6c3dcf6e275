SELECT unit_id, input_digest
FROM commit_ledger
WHERE unit_id IN (SELECT unnest($unit_ids::VARCHAR[]))
