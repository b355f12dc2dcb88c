"""What Alembic runs: the steps, on the connection that `prepare` hands over."""

from __future__ import annotations

from alembic import context

from spira.storage.state import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
