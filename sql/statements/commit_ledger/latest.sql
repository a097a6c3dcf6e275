SELECT max(committed_at) AS committed_at FROM commit_ledger WHERE kind = $kind
