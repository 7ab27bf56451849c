"""The database: tables, sessions and migrations. One URL selects SQLite or PostgreSQL. Only `db_assist` uses it."""
