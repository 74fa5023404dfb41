"""The tables, once, for every back-end; ``migrations/`` holds the steps that lead to them.

- ``users``, ``movies``: records by id. ``search_text`` is what ``titles.search_text`` makes of the
  title.
- ``ratings``: one row per user and movie, clustered by that key, so that a user's ratings lie
  together. ``rating`` is NULL in a tombstone. No foreign keys: a tombstone outlives its movie.
- ``progress``: one row with the newest version and the number of live ratings, so that neither is
  ever counted.
- ``facts``: texts about the data, as its notice.
- ``answers``: what became of requests with an idempotency key, for a day; ``answers.py``. ``key``
  is a SHA-256, ``digest`` that of the request, ``outcome`` what ``answers.encode`` makes.
- ``erasures``: users who were erased, by a digest; ``erasures.py``.
- ``jobs``: how far each import is, as a JSON text; ``created_at`` in nanoseconds orders them.
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
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    text,
    true,
)

# Texts are compared by code point everywhere, whatever the language of a PostgreSQL database.
TEXT = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ck": "ck_%(table_name)s_%(constraint_name)s"}
)

users = Table(
    "users",
    metadata,
    Column("user_id", TEXT, nullable=False),
    Column("attributes", JSON, nullable=False, server_default=text("'{}'")),
    PrimaryKeyConstraint("user_id"),
    CheckConstraint("length(user_id) BETWEEN 1 AND 128", name="user_id"),
    sqlite_with_rowid=False,
)

movies = Table(
    "movies",
    metadata,
    Column("movie_id", TEXT, nullable=False),
    Column("title", TEXT, nullable=False),
    Column("search_text", TEXT, nullable=False),
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
    Column("user_id", TEXT, nullable=False),
    Column("movie_id", TEXT, nullable=False),
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
    Column("name", TEXT, nullable=False),
    Column("value", TEXT, nullable=False),
    PrimaryKeyConstraint("name"),
)

answers = Table(
    "answers",
    metadata,
    Column("key", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
    Column("stored_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("key"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    PrimaryKeyConstraint("job_id"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("receipt", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("ratings", BigInteger, nullable=False),
    Column("erased_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("receipt"),
)

# People count "2" before "10": lists run by (length, id), and these indexes are in that order.
Index("ix_users_natural_order", func.length(users.c.user_id), users.c.user_id)
Index("ix_movies_natural_order", func.length(movies.c.movie_id), movies.c.movie_id)
Index("ix_ratings_version", ratings.c.version, unique=True)
Index("ix_answers_stored_at", answers.c.stored_at)
Index("ix_jobs_created_at", jobs.c.created_at)
Index("ix_erasures_version", erasures.c.version, unique=True)
