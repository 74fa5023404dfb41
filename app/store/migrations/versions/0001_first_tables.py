"""The first tables: users, movies, ratings, progress, facts.

Written out rather than taken from ``app.store.tables``: a migration says what was true at its time.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# By code point everywhere, whatever the language of a PostgreSQL database.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create them, and the one row of ``progress``."""
    _create_records()
    op.create_table(
        "ratings",
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("movie_id", TEXT, nullable=False),
        sa.Column("rating", sa.Double),
        sa.Column("rated_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "movie_id", name="pk_ratings"),
        sa.CheckConstraint("length(user_id) BETWEEN 1 AND 128", name="ck_ratings_user_id"),
        sa.CheckConstraint("length(movie_id) BETWEEN 1 AND 128", name="ck_ratings_movie_id"),
        sa.CheckConstraint("rating BETWEEN -1000000.0 AND 1000000.0", name="ck_ratings_rating"),
        sa.CheckConstraint("version > 0", name="ck_ratings_version"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_ratings_version", "ratings", ["version"], unique=True)
    progress = op.create_table(
        "progress",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("n_ratings", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_progress"),
        sa.CheckConstraint("id = 1", name="ck_progress_one_row"),
        sa.CheckConstraint("n_ratings >= 0", name="ck_progress_n_ratings"),
    )
    op.bulk_insert(progress, [{"id": 1, "version": 0, "n_ratings": 0}])
    op.create_table(
        "facts",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_facts"),
    )


def _create_records() -> None:
    op.create_table(
        "users",
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False, server_default=sa.text("'{}'")),
        sa.PrimaryKeyConstraint("user_id", name="pk_users"),
        sa.CheckConstraint("length(user_id) BETWEEN 1 AND 128", name="ck_users_user_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_users_natural_order", "users", [sa.text("length(user_id)"), "user_id"])
    op.create_table(
        "movies",
        sa.Column("movie_id", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("search_text", TEXT, nullable=False),
        sa.Column("year", sa.BigInteger),
        sa.Column("genres", sa.JSON, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("available", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("attributes", sa.JSON, nullable=False, server_default=sa.text("'{}'")),
        sa.PrimaryKeyConstraint("movie_id", name="pk_movies"),
        sa.CheckConstraint("length(movie_id) BETWEEN 1 AND 128", name="ck_movies_movie_id"),
        sa.CheckConstraint("length(title) > 0", name="ck_movies_title"),
    )
    op.create_index("ix_movies_natural_order", "movies", [sa.text("length(movie_id)"), "movie_id"])


def downgrade() -> None:
    """Refuse: it would drop every rating. Restore a backup instead."""
    raise NotImplementedError("The first tables cannot be taken back; restore a backup instead.")
