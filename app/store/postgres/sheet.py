"""What a group of writes has to know, and what it changes: read at once, written at once.

A statement for each write would cost a round trip each, with the lock held. Instead the operations
of a group say what they need, that is read in one go behind the lock, they do their work on this
sheet as in plain dictionaries, and what they changed goes back in one go. Two round trips and one
fsync, however many they are.

Whoever holds the row of ``progress`` is alone: all writers of all processes take it first, so that
versions follow the order of the commits, and what the sheet says stays true until the commit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from app.limits import LIMITS
from app.store.jobs import KEPT as JOBS_KEPT

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

CHANNEL = "projectionist"
"""Where each commit that changed something is told to other processes."""

TAKE_TURN = "SELECT version, n_ratings FROM progress FOR UPDATE"
_MOVIES = "SELECT movie_id FROM movies WHERE movie_id = ANY(%s::text[])"
_USERS = "SELECT user_id FROM users WHERE user_id = ANY(%s::text[])"
_RATINGS = (
    "SELECT r.user_id, r.movie_id, r.rating, r.rated_at, r.version "
    "FROM unnest(%s::text[], %s::text[]) AS wanted (user_id, movie_id) "
    "JOIN ratings AS r ON r.user_id = wanted.user_id AND r.movie_id = wanted.movie_id"
)
ADD_USERS = "INSERT INTO users (user_id) SELECT unnest(%s::text[]) ON CONFLICT (user_id) DO NOTHING"
PUT_USERS = (
    "INSERT INTO users (user_id, attributes) "
    "SELECT u, a::json FROM unnest(%s::text[], %s::text[]) AS given (u, a) "
    "ON CONFLICT (user_id) DO UPDATE SET attributes = excluded.attributes"
)
PUT_MOVIES = (
    "INSERT INTO movies (movie_id, title, search_text, year, genres, available, attributes) "
    "SELECT m, t, s, y, g::json, v, a::json FROM unnest(%s::text[], %s::text[], %s::text[], "
    "%s::bigint[], %s::text[], %s::boolean[], %s::text[]) AS given (m, t, s, y, g, v, a) "
    "ON CONFLICT (movie_id) DO UPDATE SET "
    "title = excluded.title, search_text = excluded.search_text, year = excluded.year, "
    "genres = excluded.genres, available = excluded.available, attributes = excluded.attributes"
)
PUT_RATINGS = (
    "INSERT INTO ratings (user_id, movie_id, rating, rated_at, version) "
    "SELECT * FROM unnest(%s::text[], %s::text[], %s::float8[], %s::bigint[], %s::bigint[]) "
    "ON CONFLICT (user_id, movie_id) DO UPDATE SET "
    "rating = excluded.rating, rated_at = excluded.rated_at, version = excluded.version"
)
DROP_FACTS = "DELETE FROM facts WHERE name = ANY(%s::text[])"
PUT_FACTS = (
    "INSERT INTO facts (name, value) SELECT * FROM unnest(%s::text[], %s::text[]) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_ANSWERS = "SELECT key, digest, outcome FROM answers WHERE key = ANY(%s::text[]) AND stored_at > %s"
FORGET_OLD_ANSWERS = "DELETE FROM answers WHERE stored_at <= %s"
PUT_ANSWERS = (
    "INSERT INTO answers (key, digest, outcome, stored_at) "
    "SELECT * FROM unnest(%s::text[], %s::bytea[], %s::bytea[], %s::bigint[]) "
    "ON CONFLICT (key) DO UPDATE SET digest = excluded.digest, outcome = excluded.outcome, "
    "stored_at = excluded.stored_at"
)
FORGET_MANY_ANSWERS = (
    "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY stored_at DESC OFFSET %s)"
)
PUT_JOBS = (
    "INSERT INTO jobs (job_id, created_at, document) "
    "SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[]) "
    "ON CONFLICT (job_id) DO UPDATE SET document = excluded.document"
)
FORGET_JOBS = (
    "DELETE FROM jobs WHERE job_id IN (SELECT job_id FROM jobs ORDER BY created_at DESC OFFSET %s)"
)
SAVE_PROGRESS = "UPDATE progress SET version = %s, n_ratings = %s"
TELL = "SELECT pg_notify(%s, %s)"


class Standing(NamedTuple):
    """How a rating stands, or its tombstone."""

    rating: float | None
    rated_at: int
    version: int


@dataclass
class Wanted:
    """What the operations of a group have to know before they begin."""

    movies: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    ratings: set[tuple[str, str]] = field(default_factory=set)
    answers: set[str] = field(default_factory=set)


class Answer(NamedTuple):
    """What is kept under an idempotency key."""

    digest: bytes
    outcome: bytes


class Sheet:
    """What is stored of what was wanted, and then what is to be stored.

    Parameters
    ----------
    connection
        In a transaction that nobody else can begin meanwhile.
    wanted
        What to read.
    who
        The process, so that it need not listen to itself.

    Attributes
    ----------
    version, n_ratings
        The newest version and the number of live ratings, as they will stand after the commit.
    movies, users
        Which of those wanted are there.
    answers
        What is kept under the keys wanted, and what comes to it.
    now
        The time, in seconds.
    """

    def __init__(self, connection: psycopg.Connection, wanted: Wanted, who: str) -> None:
        self._connection = connection
        self._who = who
        self.now = int(time.time())
        self._read(wanted)
        self._started_at = (self.version, self.n_ratings)
        self._new_users: dict[str, None] = {}
        self._put_users: dict[str, str | None] = {}
        self._put_movies: dict[str, tuple[Any, ...]] = {}
        self._put_ratings: dict[tuple[str, str], Standing] = {}
        self._put_facts: dict[str, str | None] = {}
        self._put_answers: dict[str, Answer] = {}
        self._put_jobs: dict[str, tuple[str, int, str]] = {}

    def _read(self, wanted: Wanted) -> None:
        """Take the turn and read, in one round trip."""
        execute = self._connection.execute
        pairs = list(wanted.ratings)
        users, items = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        with self._connection.pipeline():
            execute("BEGIN")
            # Each statement sees what is committed when it begins: those below, with the turn.
            turn = execute(TAKE_TURN)
            found_movies = execute(_MOVIES, (list(wanted.movies),))
            found_users = execute(_USERS, (list(wanted.users),)) if wanted.users else None
            found_ratings = execute(_RATINGS, (users, items)) if pairs else None
            keys = (list(wanted.answers), self.now - LIMITS.idempotency_seconds)
            found_answers = execute(_ANSWERS, keys) if wanted.answers else None
        (row,) = turn.fetchall()
        self.version: int = row[0]
        self.n_ratings: int = row[1]
        self.movies: set[str] = {movie for (movie,) in found_movies}
        self.users: set[str] = {user for (user,) in found_users or ()}
        self.answers = {key: Answer(*rest) for key, *rest in found_answers or ()}
        self._ratings = {(u, i): Standing(*rest) for u, i, *rest in found_ratings or ()}

    # ----- what operations do -----

    def rating(self, user_id: str, movie_id: str) -> Standing | None:
        """Return how a rating stands now, ``None`` if nothing was ever stored there."""
        return self._ratings.get((user_id, movie_id))

    def put_rating(
        self, user_id: str, movie_id: str, rating: float | None, rated_at: int
    ) -> Standing:
        """Store a rating, or a tombstone, with the next version."""
        before = self._ratings.get((user_id, movie_id))
        was_live = before is not None and before.rating is not None
        self.n_ratings += (rating is not None) - was_live
        self.version += 1
        standing = Standing(rating, rated_at, self.version)
        self._ratings[user_id, movie_id] = self._put_ratings[user_id, movie_id] = standing
        return standing

    def add_user(self, user_id: str) -> None:
        """Make sure that a user is there."""
        self.users.add(user_id)
        self._new_users[user_id] = None

    def put_user(self, user_id: str, attributes: str | None) -> None:
        """Store a user's attributes, as JSON text."""
        self.users.add(user_id)
        self._put_users[user_id] = attributes

    def put_movie(self, row: tuple[Any, ...]) -> None:
        """Store a movie: its columns as ``operations.movie_row`` gives them."""
        self.movies.add(row[0])
        self._put_movies[row[0]] = row

    def set_fact(self, name: str, value: str | None) -> None:
        """Keep or forget a text."""
        self._put_facts[name] = value

    def put_answer(self, key: str, answer: Answer) -> None:
        """Keep what became of a request."""
        self.answers[key] = self._put_answers[key] = answer

    def put_job(self, row: tuple[str, int, str]) -> None:
        """Keep the document of an import: its columns as ``jobs.job_row`` gives them."""
        before = self._put_jobs.get(row[0], row)
        self._put_jobs[row[0]] = (row[0], before[1], row[2])

    # ----- the end -----

    def commit(self) -> None:
        """Write what changed and commit, in one round trip."""
        with self._connection.pipeline():
            for statement, parameters in self._statements():
                self._connection.execute(statement, parameters)
            self._connection.execute("COMMIT")

    def _statements(self) -> Iterable[tuple[str, tuple[Any, ...]]]:
        if self._new_users:
            yield ADD_USERS, (list(self._new_users),)
        if self._put_users:
            yield PUT_USERS, columns(self._put_users.items())
        if self._put_movies:
            yield PUT_MOVIES, movie_columns(self._put_movies.values())
        if self._put_ratings:
            yield PUT_RATINGS, columns((*pair, *s) for pair, s in self._put_ratings.items())
        yield from self._fact_statements()
        yield from self._statements_of_what_is_kept_for_a_while()
        if (self.version, self.n_ratings) != self._started_at:
            yield SAVE_PROGRESS, (self.version, self.n_ratings)
        if self._put_movies or self._put_ratings:
            told = message(self._who, self.version, catalogue=bool(self._put_movies))
            yield TELL, (CHANNEL, told)

    def _fact_statements(self) -> Iterable[tuple[str, tuple[Any, ...]]]:
        gone = [name for name, value in self._put_facts.items() if value is None]
        kept = [(name, value) for name, value in self._put_facts.items() if value is not None]
        if gone:
            yield DROP_FACTS, (gone,)
        if kept:
            yield PUT_FACTS, columns(kept)

    def _statements_of_what_is_kept_for_a_while(self) -> Iterable[tuple[str, tuple[Any, ...]]]:
        if self._put_answers:
            yield FORGET_OLD_ANSWERS, (self.now - LIMITS.idempotency_seconds,)
            kept = ((key, *answer, self.now) for key, answer in self._put_answers.items())
            yield PUT_ANSWERS, columns(kept)
            yield FORGET_MANY_ANSWERS, (LIMITS.idempotency_keys,)
        if self._put_jobs:
            yield PUT_JOBS, columns(self._put_jobs.values())
            yield FORGET_JOBS, (JOBS_KEPT,)


def columns(rows: Iterable[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    """Turn rows into columns, each one parameter of a statement.

    >>> columns([("a", 1), ("b", 2)])
    (['a', 'b'], [1, 2])
    """
    return tuple(list(column) for column in zip(*rows, strict=True))


def movie_columns(rows: Iterable[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    """Turn rows of ``operations.movie_row`` into the parameters of ``PUT_MOVIES``."""
    return columns((*row[:5], bool(row[5]), row[6]) for row in rows)


def message(who: str, version: int, *, catalogue: bool) -> str:
    """Return what other processes are told of a commit.

    >>> message("a1", 7, catalogue=True)
    'a1 7 catalogue'
    """
    return f"{who} {version}{' catalogue' if catalogue else ''}"
