"""Back up and restore the data, in two modes: the embedded mode, and PostgreSQL with an object store.

In the embedded mode, the SQLite database and the objects are files in the data directory.
"""
