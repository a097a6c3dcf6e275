UPDATE commit_serial SET serial = serial + 1
