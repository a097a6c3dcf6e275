CALL lake.set_commit_message($author, $message)
