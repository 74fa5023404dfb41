"""A whole data set in one transaction, by COPY: the twin of ``app.store.bulk_import``.

Ratings of users who are new are copied straight, with their versions. Others go into a temporary
table first, which is compared with what is stored, so that only what changed takes a version.
Either way in portions, so that memory does not grow with the data.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import polars as pl

from app.store.chunk_import import document_after
from app.store.errors import StoreError
from app.store.jobs import KEPT, job_row, parsed
from app.store.operations import movie_row
from app.store.postgres.sheet import (
    ADD_USERS,
    FORGET_JOBS,
    PUT_JOBS,
    PUT_MOVIES,
    PUT_USERS,
    columns,
    movie_columns,
)
from app.store.records import ImportReport, Movie

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import psycopg

    from app.store.bulk_import import Prepared
    from app.store.postgres.operations import Turn

ROWS_AT_ONCE = 50_000
_RECORDS_AT_ONCE = 20_000
_WORTH_COUNTING = 10_000
"""From so many changed rows on, and half of what there was, the planner's statistics are made anew;
smaller changes are left to the server's autovacuum."""

# What a file says of a movie or a user replaces what was stored; what it does not speak of stays.
_KEEP_UNLESS_GIVEN = (
    "attributes = CASE excluded.attributes::text WHEN '{}' THEN %s.attributes "
    "ELSE excluded.attributes END"
)
IMPORT_MOVIES = PUT_MOVIES.replace("available = excluded.available, ", "").replace(
    "attributes = excluded.attributes", _KEEP_UNLESS_GIVEN.replace("%s", "movies")
)
IMPORT_USERS = PUT_USERS.replace(
    "attributes = excluded.attributes", _KEEP_UNLESS_GIVEN.replace("%s", "users")
)
ADD_MOVIES = PUT_MOVIES.partition(" ON CONFLICT")[0] + " ON CONFLICT (movie_id) DO NOTHING"

SET_AVAILABLE = (
    "UPDATE movies SET available = said.available "
    "FROM unnest(%s::boolean[], %s::text[]) AS said (available, movie_id) "
    "WHERE movies.movie_id = said.movie_id"
)
FIND_JOB = "SELECT document FROM jobs WHERE job_id = %s"

_INCOMING = (
    'CREATE TEMPORARY TABLE incoming (user_id text COLLATE "C", movie_id text COLLATE "C", '
    "rating float8, rated_at bigint) ON COMMIT DROP"
)
_COPY_INCOMING = "COPY pg_temp.incoming (user_id, movie_id, rating, rated_at) FROM STDIN"
_COPY_RATINGS = "COPY ratings (user_id, movie_id, rating, rated_at, version) FROM STDIN"
# A look into the index for each row: to read all of `ratings` for each portion would be dearer.
_BY_INDEX = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
_STORE_CHANGES = """
    WITH changed AS MATERIALIZED (
        SELECT i.user_id, i.movie_id, i.rating, coalesce(i.rated_at, %(received)s) AS rated_at,
               r.rating IS NULL AS is_new,
               %(version)s + row_number() OVER (ORDER BY i.user_id, i.movie_id) AS version
        FROM pg_temp.incoming AS i
        LEFT JOIN ratings AS r ON r.user_id = i.user_id AND r.movie_id = i.movie_id
        WHERE r.rating IS NULL OR r.rating <> i.rating OR r.rated_at <> i.rated_at
    ), stored AS (
        INSERT INTO ratings (user_id, movie_id, rating, rated_at, version)
        SELECT user_id, movie_id, rating, rated_at, version FROM changed ORDER BY version
        ON CONFLICT (user_id, movie_id) DO UPDATE SET
        rating = excluded.rating, rated_at = excluded.rated_at, version = excluded.version
    )
    SELECT count(*), count(*) FILTER (WHERE is_new) FROM changed
"""


class PostgresImport:
    """The operation that stores what was prepared: to be submitted alone.

    Parameters
    ----------
    prepared
        What ``prepare`` returned.
    progress
        Called with the number of ratings done and their total, in the writer's thread.
    """

    def __init__(
        self, prepared: Prepared, progress: Callable[[int, int], None] | None = None
    ) -> None:
        self._prepared = prepared
        self._progress = progress or (lambda _done, _total: None)
        self._received = int(time.time())
        self.abandoned = threading.Event()

    def __call__(self, turn: Turn) -> ImportReport:
        """Store it all in the transaction, and say what changed."""
        ratings = self._prepared.ratings
        self._progress(0, ratings.height)
        storing = Storing(turn, self._received)
        storing.records(self._prepared)
        for start in range(0, ratings.height, ROWS_AT_ONCE):
            if self.abandoned.is_set():
                raise StoreError("The import was given up; nothing of it is stored.")
            portion = ratings.slice(start, ROWS_AT_ONCE)
            storing.ratings(portion)
            self._progress(start + portion.height, ratings.height)
        return storing.finish()


def chunks_operation(chunks: Iterable[Any], job: str | None) -> Callable[[Turn], ImportReport]:
    """Return the operation behind ``Store.import_chunks``: the chunks in one transaction."""

    def operation(turn: Turn) -> ImportReport:
        storing, document = Storing(turn, int(time.time())), None
        for chunk in chunks:
            storing.records(chunk.prepared)
            storing.ratings(chunk.prepared.ratings)
            document = chunk.document
        report = storing.finish()
        if job is not None and document is not None:
            found = turn.connection.execute(FIND_JOB, (job,)).fetchone()
            before = None if found is None else parsed(found[0])
            row = job_row(job, document_after(before, document, report))
            turn.connection.execute(PUT_JOBS, columns([row]))
            turn.connection.execute(FORGET_JOBS, (KEPT,))
        return report

    return operation


class Storing:
    """Stores portions in one transaction, and counts what they change.

    Parameters
    ----------
    turn
        The transaction, which holds the turn.
    received
        When a rating was given that does not say so.
    """

    def __init__(self, turn: Turn, received: int) -> None:
        self._turn = turn
        self._received = received
        self._compares = self._movies_changed = False
        self._version = turn.version
        self._n_live = turn.n_ratings
        self._n_rows = self._n_users = self._n_movies = 0
        self._raters_before: set[str] = set()

    def records(self, prepared: Prepared) -> None:
        """Store movies and users; create those that only the ratings speak of."""
        connection = self._turn.connection
        movies, users = _last_of_each(prepared.movies), _last_of_each(prepared.users)
        rated = prepared.ratings.get_column("item").unique().sort().to_list()
        raters = prepared.ratings.get_column("user").unique().sort().to_list()
        known_movies = _known(connection, "movie", {*movies, *rated})
        known_users = _known(connection, "user", {*users, *raters})
        self._n_movies += len({*movies, *rated}) - len(known_movies)
        self._movies_changed |= bool(movies) or len(known_movies) < len(rated)
        self._n_users += len({*users, *raters}) - len(known_users)
        # Whoever was not there has no ratings yet.
        self._raters_before = known_users.intersection(raters)
        for rows in _portions(movies.values()):
            connection.execute(IMPORT_MOVIES, movie_columns(rows))
        for rows in _portions(prepared.availability):
            connection.execute(SET_AVAILABLE, columns((bool(row[0]), row[1]) for row in rows))
        for rows in _portions(users.values()):
            connection.execute(IMPORT_USERS, columns(rows))
        there = known_movies.union(movies)
        bare = (movie_row(Movie(item, item)) for item in rated if item not in there)
        for rows in _portions(bare):
            connection.execute(ADD_MOVIES, movie_columns(rows))
        for rows in _portions((user,) for user in raters if user not in known_users):
            connection.execute(ADD_USERS, columns(rows))

    def finish(self) -> ImportReport:
        """Write the counters, tell the other processes, and return what changed."""
        before = self._turn.version
        stored = self._version - before
        if stored >= max(_WORTH_COUNTING, self._turn.n_ratings // 2):
            self._turn.connection.execute("ANALYZE users, movies, ratings")
        self._turn.save(self._version, self._n_live, catalogue=self._movies_changed)
        return ImportReport(
            users=self._n_users,
            movies=self._n_movies,
            ratings=stored,
            unchanged=self._n_rows - stored,
            version_from=before,
            version_to=self._version,
        )

    def ratings(self, ratings: pl.DataFrame) -> None:
        """Give each new or changed rating the next version, and store it.

        Parameters
        ----------
        ratings
            Rows of ``Prepared.ratings``, whose users and movies are stored; no two of one pair.
        """
        self._n_rows += ratings.height
        raters = ratings.get_column("user").unique()
        if self._raters_before.isdisjoint(raters):
            self._copy_new(ratings)
        else:
            self._store_changes(ratings)

    def _copy_new(self, ratings: pl.DataFrame) -> None:
        first = self._version + 1
        self._version += ratings.height
        self._n_live += ratings.height
        rows = ratings.with_columns(
            pl.col("timestamp").fill_null(self._received),
            version=pl.int_range(first, self._version + 1),
        )
        copy_in(self._turn.connection, _COPY_RATINGS, rows)

    def _store_changes(self, ratings: pl.DataFrame) -> None:
        connection = self._turn.connection
        if not self._compares:
            connection.execute(_BY_INDEX)
            connection.execute(_INCOMING)
            self._compares = True
        connection.execute("TRUNCATE pg_temp.incoming")
        copy_in(connection, _COPY_INCOMING, ratings)
        numbers = {"received": self._received, "version": self._version}
        ((stored, new),) = connection.execute(_STORE_CHANGES, numbers).fetchall()
        self._version += stored
        self._n_live += new


def copy_in(connection: psycopg.Connection, statement: str, rows: pl.DataFrame) -> None:
    """Send rows by COPY, in its text format."""
    # Ids hold no control characters, so that backslashes are all that could be misread.
    texts = [name for name, kind in rows.schema.items() if kind == pl.String()]
    escaped = rows.with_columns(
        pl.col(name).str.replace_all("\\", "\\\\", literal=True) for name in texts
    )
    lines = escaped.write_csv(
        separator="\t", null_value="\\N", quote_style="never", include_header=False
    )
    with connection.cursor().copy(statement) as copy:
        copy.write(lines)


def _last_of_each(rows: Iterable[tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Return one row for each id: the last, with the attributes of the last that has any."""
    found: dict[str, tuple[Any, ...]] = {}
    for row in rows:
        before = found.get(row[0])
        found[row[0]] = row if before is None or row[-1] != "{}" else (*row[:-1], before[-1])
    return found


def _portions(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    portion: list[tuple[Any, ...]] = []
    for row in rows:
        portion.append(row)
        if len(portion) == _RECORDS_AT_ONCE:
            yield portion
            portion = []
    if portion:
        yield portion


def _known(connection: psycopg.Connection, kind: str, ids: set[str]) -> set[str]:
    """Return those of the users or movies that are stored."""
    query = f"SELECT {kind}_id FROM {kind}s WHERE {kind}_id = ANY(%s::text[])"  # noqa: S608
    found: set[str] = set()
    for rows in _portions((each,) for each in sorted(ids)):
        found.update(row[0] for row in connection.execute(query, columns(rows)))
    return found
