"""Functions for files, sockets and threads that several packages use, for example to lock a file."""
