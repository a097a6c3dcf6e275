CALL ducklake_expire_snapshots('lake', older_than => $before::TIMESTAMPTZ)
