"""The tables, once, for every back-end; ``migrations/`` holds the steps that lead to them.

- ``users``, ``movies``: records by id. ``search_text`` is what ``titles.search_text`` makes of the
  title.
- ``ratings``: one row per user and movie, clustered by that key, so that a user's ratings lie
  together. ``rating`` is NULL in a tombstone. No foreign keys: a tombstone outlives its movie.
- ``progress``: one row with the newest version and the number of live ratings, so that neither is
  ever counted.
- ``facts``: texts about the data, as its notice.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    text,
    true,
)

metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ck": "ck_%(table_name)s_%(constraint_name)s"}
)

users = Table(
    "users",
    metadata,
    Column("user_id", Text, nullable=False),
    Column("attributes", JSON, nullable=False, server_default=text("'{}'")),
    PrimaryKeyConstraint("user_id"),
    CheckConstraint("length(user_id) BETWEEN 1 AND 128", name="user_id"),
    sqlite_with_rowid=False,
)

movies = Table(
    "movies",
    metadata,
    Column("movie_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("search_text", Text, nullable=False),
    Column("year", BigInteger),
    Column("genres", JSON, nullable=False, server_default=text("'[]'")),
    Column("available", Boolean, nullable=False, server_default=true()),
    Column("attributes", JSON, nullable=False, server_default=text("'{}'")),
    PrimaryKeyConstraint("movie_id"),
    CheckConstraint("length(movie_id) BETWEEN 1 AND 128", name="movie_id"),
    CheckConstraint("length(title) > 0", name="title"),
)

ratings = Table(
    "ratings",
    metadata,
    Column("user_id", Text, nullable=False),
    Column("movie_id", Text, nullable=False),
    Column("rating", Double),
    Column("rated_at", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "movie_id"),
    CheckConstraint("length(user_id) BETWEEN 1 AND 128", name="user_id"),
    CheckConstraint("length(movie_id) BETWEEN 1 AND 128", name="movie_id"),
    CheckConstraint("rating BETWEEN -1000000.0 AND 1000000.0", name="rating"),
    CheckConstraint("version > 0", name="version"),
    sqlite_with_rowid=False,
)

progress = Table(
    "progress",
    metadata,
    Column("id", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("n_ratings", BigInteger, nullable=False),
    PrimaryKeyConstraint("id"),
    CheckConstraint("id = 1", name="one_row"),
    CheckConstraint("n_ratings >= 0", name="n_ratings"),
)

facts = Table(
    "facts",
    metadata,
    Column("name", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("name"),
)

# People count "2" before "10": lists run by (length, id), and these indexes are in that order.
Index("ix_users_natural_order", func.length(users.c.user_id), users.c.user_id)
Index("ix_movies_natural_order", func.length(movies.c.movie_id), movies.c.movie_id)
Index("ix_ratings_version", ratings.c.version, unique=True)
