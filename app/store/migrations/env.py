"""Alembic's entry: runs the migrations on the connection that ``app.store.schema`` hands over.

The connection stands in a transaction already, and both back-ends roll back table definitions: a
migration that is killed half-way leaves the database as it was.
"""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
