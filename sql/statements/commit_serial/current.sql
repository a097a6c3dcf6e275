SELECT serial FROM commit_serial
