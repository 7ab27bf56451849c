"""Functions of the operating system that several packages use: sync, lock and hash files, poll sockets."""
