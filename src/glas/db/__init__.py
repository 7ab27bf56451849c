"""The database: tables, sessions and migrations, over SQLite or PostgreSQL by one URL. Only `db_assist` uses it."""
