"""What each write does to the database, inside the transaction of its group.

Plain SQL on the bare connection: this is the hot path (four short statements per rating), where
SQLAlchemy's own work would cost more than SQLite's. ``tables.py`` has the columns.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from app.store.errors import MovieNotFound
from app.store.records import RatingRecord
from app.store.titles import search_text
from app.store.validation import (
    check_id,
    check_movie,
    check_rating,
    check_text,
    check_user,
    to_json,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from app.store.records import Movie, User

# `ON CONFLICT DO NOTHING` and never `INSERT OR IGNORE`, which would ignore the CHECKs as well.
FIND_RATING = "SELECT rating, rated_at, version FROM ratings WHERE user_id = ? AND movie_id = ?"
PUT_RATING = (
    "INSERT INTO ratings (user_id, movie_id, rating, rated_at, version) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (user_id, movie_id) DO UPDATE SET "
    "rating = excluded.rating, rated_at = excluded.rated_at, version = excluded.version"
)
BURY_RATING = "UPDATE ratings SET rating = NULL, version = ? WHERE user_id = ? AND movie_id = ?"
ADD_USER = "INSERT INTO users (user_id) VALUES (?) ON CONFLICT DO NOTHING"
PUT_USER = (
    "INSERT INTO users (user_id, attributes) VALUES (?, ?) "
    "ON CONFLICT (user_id) DO UPDATE SET attributes = excluded.attributes"
)
HAS_USER = "SELECT 1 FROM users WHERE user_id = ?"
HAS_MOVIE = "SELECT 1 FROM movies WHERE movie_id = ?"
PUT_MOVIE = (
    "INSERT INTO movies (movie_id, title, search_text, year, genres, available, attributes) "
    "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (movie_id) DO UPDATE SET "
    "title = excluded.title, search_text = excluded.search_text, year = excluded.year, "
    "genres = excluded.genres, available = excluded.available, attributes = excluded.attributes"
)
RATERS_OF = "SELECT user_id FROM ratings WHERE movie_id = ? AND rating IS NOT NULL"


class Mark(NamedTuple):
    """The newest version and the number of live ratings at one point of a transaction."""

    version: int
    n_ratings: int


class Transaction:
    """One open transaction of the writer.

    Parameters
    ----------
    connection
        The writer's connection, after ``BEGIN IMMEDIATE``.

    Attributes
    ----------
    connection
        For the operations' statements.
    version, n_ratings
        The newest version and the number of live ratings, as they will stand after the commit.
    shred
        Whether something was erased, of which no file of the database may keep a copy.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        # Read anew each time: what the database says is true, whatever happened before.
        version, n_ratings = connection.execute(
            "SELECT version, n_ratings FROM progress"
        ).fetchone()
        self.version: int = version
        self.n_ratings: int = n_ratings
        self._stored = self.mark()
        self.shred = False

    def next_version(self) -> int:
        """Return the version of the change that is being made."""
        self.version += 1
        return self.version

    def mark(self) -> Mark:
        """Return the counters, for ``reset`` when an operation is taken back."""
        return Mark(self.version, self.n_ratings)

    def reset(self, mark: Mark) -> None:
        """Put the counters back to where ``mark`` found them."""
        self.version, self.n_ratings = mark

    def save(self) -> None:
        """Write the counters, if they changed; the last statement before the commit."""
        if self.mark() != self._stored:
            self.connection.execute(
                "UPDATE progress SET version = ?, n_ratings = ?", (self.version, self.n_ratings)
            )


def put_rating(
    user_id: str, movie_id: str, rating: float, rated_at: int
) -> Callable[[Transaction], RatingRecord]:
    """Return the operation behind ``Store.put_rating``; may raise ``InvalidRecord``."""
    check_id(user_id, "user_id")
    check_id(movie_id, "movie_id")
    check_rating(rating, rated_at)
    return partial(_put_rating, user_id, movie_id, float(rating), rated_at)


def _put_rating(
    user_id: str, movie_id: str, rating: float, rated_at: int, transaction: Transaction
) -> RatingRecord:
    execute = transaction.connection.execute
    if execute(HAS_MOVIE, (movie_id,)).fetchone() is None:
        raise MovieNotFound(movie_id)
    before = execute(FIND_RATING, (user_id, movie_id)).fetchone()
    if before is not None and before[:2] == (rating, rated_at):
        return RatingRecord(user_id, movie_id, *before)
    record = RatingRecord(user_id, movie_id, rating, rated_at, transaction.next_version())
    if before is None:
        execute(ADD_USER, (user_id,))
    if before is None or before[0] is None:
        transaction.n_ratings += 1
    execute(PUT_RATING, (user_id, movie_id, rating, rated_at, record.version))
    return record


def delete_rating(user_id: str, movie_id: str) -> Callable[[Transaction], RatingRecord | None]:
    """Return the operation behind ``Store.delete_rating``."""
    check_id(user_id, "user_id")
    check_id(movie_id, "movie_id")
    return partial(_delete_rating, user_id, movie_id)


def _delete_rating(user_id: str, movie_id: str, transaction: Transaction) -> RatingRecord | None:
    before = transaction.connection.execute(FIND_RATING, (user_id, movie_id)).fetchone()
    if before is None or before[0] is None:
        return None
    return _bury(user_id, movie_id, before[1], transaction)


def _bury(user_id: str, movie_id: str, rated_at: int, transaction: Transaction) -> RatingRecord:
    """Turn a live rating into a tombstone."""
    record = RatingRecord(user_id, movie_id, None, rated_at, transaction.next_version())
    transaction.connection.execute(BURY_RATING, (record.version, user_id, movie_id))
    transaction.n_ratings -= 1
    return record


def put_movie(movie: Movie) -> Callable[[Transaction], bool]:
    """Return the operation behind ``Store.put_movie``."""
    row = movie_row(movie)

    def operation(transaction: Transaction) -> bool:
        new = transaction.connection.execute(HAS_MOVIE, row[:1]).fetchone() is None
        transaction.connection.execute(PUT_MOVIE, row)
        return new

    return operation


def movie_row(movie: Movie) -> tuple[str | int | None, ...]:
    """Return the movie's columns in the order of ``PUT_MOVIE``; may raise ``InvalidRecord``."""
    check_movie(movie)
    return (
        movie.movie_id,
        movie.title,
        search_text(movie.title),
        movie.year,
        to_json(list(movie.genres), "genres"),
        int(movie.available),
        to_json(movie.attributes, "attributes"),
    )


def delete_movie(movie_id: str) -> Callable[[Transaction], bool]:
    """Return the operation behind ``Store.delete_movie``.

    It reads all ratings once, as no index leads from a movie to them: a rare act of an operator
    should not make every rating dearer.
    """
    check_id(movie_id, "movie_id")

    def operation(transaction: Transaction) -> bool:
        connection = transaction.connection
        if connection.execute(HAS_MOVIE, (movie_id,)).fetchone() is None:
            return False
        for (user_id,) in connection.execute(RATERS_OF, (movie_id,)).fetchall():
            _bury(user_id, movie_id, 0, transaction)
        connection.execute("DELETE FROM movies WHERE movie_id = ?", (movie_id,))
        return True

    return operation


def put_user(user: User) -> Callable[[Transaction], bool]:
    """Return the operation behind ``Store.put_user``."""
    check_user(user)
    row = (user.user_id, to_json(user.attributes, "attributes"))

    def operation(transaction: Transaction) -> bool:
        new = transaction.connection.execute(HAS_USER, row[:1]).fetchone() is None
        transaction.connection.execute(PUT_USER, row)
        return new

    return operation


def set_fact(name: str, value: str | None) -> Callable[[Transaction], None]:
    """Return the operation behind ``Store.set_fact``."""
    check_text(name, "name")
    if value is not None:
        check_text(value, "value")

    def operation(transaction: Transaction) -> None:
        transaction.connection.execute("DELETE FROM facts WHERE name = ?", (name,))
        if value is not None:
            transaction.connection.execute(
                "INSERT INTO facts (name, value) VALUES (?, ?)", (name, value)
            )

    return operation
