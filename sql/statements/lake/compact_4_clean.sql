-- Only files that no snapshot has needed since then: readers may still be inside younger ones.
CALL ducklake_cleanup_old_files('lake', older_than => $before::TIMESTAMPTZ)
