"""What each write does, on the sheet of its group: the twin of ``app.store.operations``.

An operation checks before it changes anything, so that one that fails leaves the sheet as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Generic, TypeVar

from app.store.answers import decode, encode, hidden
from app.store.erasures import SALT, new_erasure, new_salt, scrub
from app.store.errors import InvalidRecord, KeyReused, MovieNotFound
from app.store.jobs import job_row
from app.store.operations import movie_row
from app.store.postgres.sheet import CHANNEL, SAVE_PROGRESS, TAKE_TURN, TELL, Answer, message
from app.store.records import RatingRecord, Stored
from app.store.validation import check_id, check_rating, check_text, check_user, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import psycopg

    from app.store.answers import Result, Row
    from app.store.postgres.sheet import Sheet, Wanted
    from app.store.records import JSON, Erasure, Movie, User

T = TypeVar("T")

_N_RATINGS_OF = "SELECT count(*), count(rating) FROM ratings WHERE user_id = %s"
_BURY_ALL = (
    "UPDATE ratings SET rating = NULL, version = %s + numbered.place FROM ("
    " SELECT user_id, row_number() OVER (ORDER BY user_id) AS place FROM ratings"
    " WHERE movie_id = %s AND rating IS NOT NULL"
    ") AS numbered WHERE ratings.user_id = numbered.user_id AND ratings.movie_id = %s"
)


@dataclass(frozen=True)
class OnSheet(Generic[T]):
    """A write that shares a transaction with others.

    Attributes
    ----------
    wants
        Adds what it has to know.
    apply
        Does it, and returns its result.
    """

    wants: Callable[[Wanted], None]
    apply: Callable[[Sheet], T]

    def __call__(self, sheet: Sheet) -> T:
        """Do it."""
        return self.apply(sheet)


@dataclass(frozen=True)
class Turn:
    """A transaction that one long write has for itself, after it has taken the turn.

    Attributes
    ----------
    connection
        In the transaction.
    version, n_ratings
        As they stand.
    who
        The process.
    """

    connection: psycopg.Connection
    version: int
    n_ratings: int
    who: str

    @classmethod
    def take(cls, connection: psycopg.Connection, who: str) -> Turn:
        """Wait until no other process writes; the transaction has begun."""
        (row,) = connection.execute(TAKE_TURN).fetchall()
        return cls(connection, row[0], row[1], who)

    def save(self, version: int, n_ratings: int, *, catalogue: bool) -> None:
        """Write how they stand now, and tell the other processes."""
        self.connection.execute(SAVE_PROGRESS, (version, n_ratings))
        self.connection.execute(TELL, (CHANNEL, message(self.who, version, catalogue=catalogue)))


def put_rating(user_id: str, movie_id: str, rating: float, rated_at: int) -> OnSheet[RatingRecord]:
    """Return the operation behind ``Store.put_rating``; may raise ``InvalidRecord``."""
    check_id(user_id, "user_id")
    check_id(movie_id, "movie_id")
    check_rating(rating, rated_at)
    stars = float(rating)

    def wants(wanted: Wanted) -> None:
        wanted.movies.add(movie_id)
        wanted.ratings.add((user_id, movie_id))

    return OnSheet(wants, lambda sheet: rate(sheet, user_id, movie_id, stars, rated_at))


def rate(sheet: Sheet, user_id: str, movie_id: str, rating: float, rated_at: int) -> RatingRecord:
    """Store one rating whose movie and pair the sheet was asked for."""
    if movie_id not in sheet.movies:
        raise MovieNotFound(movie_id)
    before = sheet.rating(user_id, movie_id)
    if before is not None and before[:2] == (rating, rated_at):
        return RatingRecord(user_id, movie_id, *before)
    if before is None:
        sheet.add_user(user_id)
    return RatingRecord(user_id, movie_id, *sheet.put_rating(user_id, movie_id, rating, rated_at))


def put_ratings(rows: Sequence[Row | None], key: str | None, digest: bytes) -> OnSheet[Stored]:
    """Return the operation behind ``Store.put_ratings``."""
    kept_as = None if key is None else hidden(key)

    @cache
    def checked() -> list[OnSheet[RatingRecord] | InvalidRecord | None]:
        """Check each row, once, in the writer's thread."""
        return [None if row is None else _checked(row) for row in rows]

    def wants(wanted: Wanted) -> None:
        if kept_as is not None:
            wanted.answers.add(kept_as)
        for row in checked():
            if isinstance(row, OnSheet):
                row.wants(wanted)

    def apply(sheet: Sheet) -> Stored:
        found = None if kept_as is None else sheet.answers.get(kept_as)
        if found is not None:
            if found.digest != digest:
                raise KeyReused("This idempotency key came with other ratings before.")
            return Stored(decode(rows, found.outcome), replayed=True)
        results = tuple(_result(row, sheet) for row in checked())
        if kept_as is not None:
            sheet.put_answer(kept_as, Answer(digest, encode(results)))
        return Stored(results)

    return OnSheet(wants, apply)


def _checked(row: Row) -> OnSheet[RatingRecord] | InvalidRecord:
    try:
        return put_rating(*row)
    except InvalidRecord as refusal:
        return refusal.with_traceback(None)


def _result(row: OnSheet[RatingRecord] | InvalidRecord | None, sheet: Sheet) -> Result:
    if not isinstance(row, OnSheet):
        return row
    try:
        return row(sheet)
    except MovieNotFound as refusal:
        return refusal.with_traceback(None)


def put_job(job_id: str, document: Mapping[str, JSON]) -> OnSheet[None]:
    """Return the operation behind ``Store.put_job``."""
    row = job_row(job_id, document)
    return OnSheet(lambda _wanted: None, lambda sheet: sheet.put_job(row))


def delete_rating(user_id: str, movie_id: str) -> OnSheet[RatingRecord | None]:
    """Return the operation behind ``Store.delete_rating``."""
    check_id(user_id, "user_id")
    check_id(movie_id, "movie_id")

    def apply(sheet: Sheet) -> RatingRecord | None:
        before = sheet.rating(user_id, movie_id)
        if before is None or before.rating is None:
            return None
        buried = sheet.put_rating(user_id, movie_id, None, before.rated_at)
        return RatingRecord(user_id, movie_id, *buried)

    return OnSheet(lambda wanted: wanted.ratings.add((user_id, movie_id)), apply)


def put_movie(movie: Movie) -> OnSheet[bool]:
    """Return the operation behind ``Store.put_movie``."""
    row = movie_row(movie)

    def apply(sheet: Sheet) -> bool:
        new = movie.movie_id not in sheet.movies
        sheet.put_movie(row)
        return new

    return OnSheet(lambda wanted: wanted.movies.add(movie.movie_id), apply)


def put_user(user: User) -> OnSheet[bool]:
    """Return the operation behind ``Store.put_user``."""
    check_user(user)
    attributes = to_json(user.attributes, "attributes")

    def apply(sheet: Sheet) -> bool:
        new = user.user_id not in sheet.users
        sheet.put_user(user.user_id, attributes)
        return new

    return OnSheet(lambda wanted: wanted.users.add(user.user_id), apply)


def set_fact(name: str, value: str | None) -> OnSheet[None]:
    """Return the operation behind ``Store.set_fact``."""
    check_text(name, "name")
    if value is not None:
        check_text(value, "value")
    return OnSheet(lambda _wanted: None, lambda sheet: sheet.set_fact(name, value))


def delete_movie(movie_id: str) -> Callable[[Turn], bool]:
    """Return the operation behind ``Store.delete_movie``, which takes a transaction of its own.

    It reads all ratings once, as no index leads from a movie to them: a rare act of an operator
    should not make every rating dearer.
    """
    check_id(movie_id, "movie_id")

    def operation(turn: Turn) -> bool:
        execute = turn.connection.execute
        if execute("DELETE FROM movies WHERE movie_id = %s", (movie_id,)).rowcount == 0:
            return False
        buried = execute(_BURY_ALL, (turn.version, movie_id, movie_id)).rowcount
        turn.save(turn.version + buried, turn.n_ratings - buried, catalogue=True)
        return True

    return operation


def erase_user(user_id: str) -> Callable[[Turn], Erasure | None]:
    """Return the operation behind ``Store.erase_user``, which takes a transaction of its own."""
    check_id(user_id, "user_id")

    def operation(turn: Turn) -> Erasure | None:
        execute = turn.connection.execute
        ((rows, live),) = execute(_N_RATINGS_OF, (user_id,)).fetchall()
        execute("DELETE FROM ratings WHERE user_id = %s", (user_id,))
        was_there = execute("DELETE FROM users WHERE user_id = %s", (user_id,)).rowcount
        if not rows and not was_there:
            return None
        for job_id, document in execute("SELECT job_id, document FROM jobs").fetchall():
            if (scrubbed := scrub(document, user_id)) is not None:
                execute("UPDATE jobs SET document = %s WHERE job_id = %s", (scrubbed, job_id))
        erasure = new_erasure(turn.version + 1, _salt(turn), user_id, live)
        execute(
            "INSERT INTO erasures (receipt, version, digest, ratings, erased_at) "
            "VALUES (%s, %s, %s, %s, %s)",
            (erasure.receipt, erasure.version, erasure.digest, live, erasure.erased_at),
        )
        turn.save(erasure.version, turn.n_ratings - live, catalogue=False)
        return erasure

    return operation


def _salt(turn: Turn) -> str:
    found = turn.connection.execute("SELECT value FROM facts WHERE name = %s", (SALT,)).fetchone()
    if found is not None:
        return str(found[0])
    salt = new_salt()
    turn.connection.execute("INSERT INTO facts (name, value) VALUES (%s, %s)", (SALT, salt))
    return salt
