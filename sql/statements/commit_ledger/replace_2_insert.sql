INSERT INTO commit_ledger BY NAME
SELECT * FROM staged_commit_ledger
