"""Define the database: tables, sessions and migrations.

The URL of the database selects SQLite or PostgreSQL. Only db_assist reads and writes these tables.
"""
