"""Back up and restore the data: of the embedded mode, and of PostgreSQL with an object store."""
