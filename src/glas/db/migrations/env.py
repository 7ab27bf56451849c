"""Run the migrations in the transaction of the caller.

Alembic executes this module. The module uses the connection and the transaction that `glas.db.migrations` has opened.
"""

from alembic import context

from glas.db.tables import Base

# SQLite cannot alter a table in place: Alembic copies it (batch mode).
context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
