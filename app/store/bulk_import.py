"""A whole data set in one transaction: everything of it is stored, or nothing.

``prepare`` checks and sorts the frames in the caller's thread; ``BulkImport`` stores them in the
writer's, a piece of them at a time (``store_records``, ``store_ratings``: ``chunk_import`` uses
both too). Rows go in sorted by the key that ``ratings`` is clustered by, so that pages are filled
one after the other, and take their versions in that order.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import polars as pl

from app.store.errors import InvalidRecord, StoreError
from app.store.operations import (
    ADD_USER,
    FIND_RATING,
    PUT_MOVIE,
    PUT_RATING,
    PUT_USER,
    movie_row,
)
from app.store.records import ImportReport, Movie
from app.store.validation import MAX_RATING, REFUSED_IDS, refusal, to_json
from recommender.data.cells import ID_RULE
from recommender.data.rating_rows import breaks_id_rule

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from app.store.operations import Transaction

ROWS_AT_ONCE = 50_000
# What a file says of a movie or a user replaces what was stored; what it does not speak of stays.
_KEEP_UNLESS_GIVEN = (
    "attributes = CASE excluded.attributes WHEN '{}' THEN attributes ELSE excluded.attributes END"
)
IMPORT_MOVIE = PUT_MOVIE.replace("available = excluded.available, ", "").replace(
    "attributes = excluded.attributes", _KEEP_UNLESS_GIVEN
)
IMPORT_USER = PUT_USER.replace("attributes = excluded.attributes", _KEEP_UNLESS_GIVEN)
SET_AVAILABLE = "UPDATE movies SET available = ? WHERE movie_id = ?"
ADD_MOVIE = PUT_MOVIE.partition(" ON CONFLICT")[0] + " ON CONFLICT DO NOTHING"
_RATING_COLUMNS = {
    "user": pl.String(),
    "item": pl.String(),
    "rating": pl.Float64(),
    "timestamp": pl.Int64(),
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be stored, checked.

    Attributes
    ----------
    ratings
        Columns ``user``, ``item``, ``rating``, ``timestamp`` (null: not known), sorted by the
        first two, one row for each pair of them.
    movies, users
        Rows for ``PUT_MOVIE`` and for ``PUT_USER``.
    availability
        ``(available, movie_id)`` of the movies of which it is said.
    """

    ratings: pl.DataFrame
    movies: list[tuple[Any, ...]]
    users: list[tuple[str, str | None]]
    availability: list[tuple[int, str]]


def prepare(
    ratings: pl.DataFrame | None, movies: pl.DataFrame | None, users: pl.DataFrame | None
) -> Prepared:
    """Check the frames of ``Store.import_dataset`` and bring them into the form that is stored.

    Raises
    ------
    InvalidRecord
        If a column is missing, or a value must not be stored: says which and how many.
    """
    said = []
    if movies is not None and movies.schema.get("available") == pl.Boolean:
        told = movies.filter(pl.col("available").is_not_null())
        pairs = zip(told["available"], told["movie_id"].cast(pl.String()), strict=True)
        said = [(int(available), movie_id) for available, movie_id in pairs]
    return Prepared(
        _ratings(ratings) if ratings is not None else pl.DataFrame(schema=_RATING_COLUMNS),
        _movies(movies),
        _users(users),
        said,
    )


def _ratings(frame: pl.DataFrame) -> pl.DataFrame:
    if frame.is_empty():
        return pl.DataFrame(schema=_RATING_COLUMNS)
    _require_columns(frame, "ratings", ("user", "item", "rating"))
    if "timestamp" not in frame.columns:
        frame = frame.with_columns(timestamp=pl.lit(None, dtype=pl.Int64))
    # A Float32 of 3.7 is 3.70000005: six digits say again what the file said.
    narrow = frame.schema["rating"] == pl.Float32
    try:
        frame = frame.select(pl.col(name).cast(kind) for name, kind in _RATING_COLUMNS.items())
    except pl.exceptions.PolarsError as error:
        raise InvalidRecord(f"ratings: a column has the wrong type: {error}") from error
    if narrow:
        frame = frame.with_columns(pl.col("rating").round(6))
    _refuse(frame, pl.col("rating").is_null(), "ratings without a value")
    usable = pl.col("rating").is_finite() & (pl.col("rating").abs() <= MAX_RATING)
    _refuse(frame, ~usable, f"ratings that are no finite number within ±{MAX_RATING:g}")
    _check_ids(frame.get_column("user"), "ratings: user", "user_id")
    _check_ids(frame.get_column("item"), "ratings: item", "movie_id")
    return frame.unique(["user", "item"], keep="last", maintain_order=True).sort("user", "item")


def _movies(frame: pl.DataFrame | None) -> list[tuple[Any, ...]]:
    if frame is None or frame.is_empty():
        return []
    _require_columns(frame, "movies", ("movie_id",))
    frame = frame.with_columns(pl.col("movie_id").cast(pl.String()))
    _check_ids(frame.get_column("movie_id"), "movies: movie_id", "movie_id")
    if not isinstance(frame.schema.get("genres", pl.Null()), pl.List | pl.Null):
        raise InvalidRecord("movies: genres: a column of lists of texts is needed.")
    known = {"movie_id", "title", "year", "genres", "available"}
    return [
        movie_row(
            Movie(
                movie_id=row["movie_id"],
                title=row.get("title") or row["movie_id"],
                year=row.get("year"),
                genres=tuple(row.get("genres") or ()),
                attributes=_others(row, known),
            )
        )
        for row in frame.iter_rows(named=True)
    ]


def _users(frame: pl.DataFrame | None) -> list[tuple[str, str | None]]:
    if frame is None or frame.is_empty():
        return []
    _require_columns(frame, "users", ("user_id",))
    frame = frame.with_columns(pl.col("user_id").cast(pl.String()))
    _check_ids(frame.get_column("user_id"), "users: user_id", "user_id")
    return [
        (row["user_id"], to_json(_others(row, {"user_id"}), "users: attributes"))
        for row in frame.iter_rows(named=True)
    ]


def _others(row: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """Return the further columns, which become attributes, as far as they say something.

    A column ``attributes`` with a JSON object as text is what it says.
    """
    others = {name: row[name] for name in row if name not in known and row[name] is not None}
    written = others.get("attributes")
    if isinstance(written, str) and written.startswith("{"):
        try:
            others.update(json.loads(others.pop("attributes")))
        except ValueError as error:
            raise InvalidRecord("attributes: a JSON object is needed.") from error
    return others


def _require_columns(frame: pl.DataFrame, what: str, names: tuple[str, ...]) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise InvalidRecord(
            f"{what}: no column {', '.join(missing)}; found: {', '.join(frame.columns)}."
        )


def _check_ids(column: pl.Series, what: str, kind: Literal["user_id", "movie_id"]) -> None:
    """Apply the rules of :func:`app.store.validation.check_id` to a whole column."""
    ids = column.unique()
    wrong = breaks_id_rule(ids).fill_null(value=True)
    _refuse(wrong.to_frame("wrong"), pl.col("wrong"), f"{what}: ids that are not of {ID_RULE}")
    refused = ids.is_in(sorted(REFUSED_IDS[kind]))
    _refuse(refused.to_frame("refused"), pl.col("refused"), f"{what}: ids that are {refusal(kind)}")


def _refuse(frame: pl.DataFrame, wrong: pl.Expr, what: str) -> None:
    count = frame.select(wrong.sum()).item()
    if count:
        raise InvalidRecord(f"Found {count:,} {what}; nothing was imported.")


class Known(NamedTuple):
    """What ``store_records`` found.

    Attributes
    ----------
    users
        The raters who were there before: only they can have ratings.
    new_users, new_movies
        How many were stored for the first time.
    """

    users: frozenset[str]
    new_users: int
    new_movies: int


class BulkImport:
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

    def __call__(self, transaction: Transaction) -> ImportReport:
        """Store it all in the transaction, and say what changed."""
        connection = transaction.connection
        version = transaction.version
        known = store_records(connection, self._prepared)
        ratings = self._prepared.ratings
        self._progress(0, ratings.height)
        for done, chunk in _chunks(ratings):
            if self.abandoned.is_set():
                raise StoreError("The import was given up; nothing of it is stored.")
            store_ratings(chunk, transaction, known.users, self._received)
            self._progress(done, ratings.height)
        stored = transaction.version - version
        return ImportReport(
            users=known.new_users,
            movies=known.new_movies,
            ratings=stored,
            unchanged=ratings.height - stored,
            version_from=version,
            version_to=transaction.version,
        )


def store_records(connection: sqlite3.Connection, prepared: Prepared) -> Known:
    """Store movies and users, and create those that are only rated."""
    ratings = prepared.ratings
    items = set(ratings.get_column("item").unique())
    described = {row[0] for row in prepared.movies}
    unknown = _unknown(connection, "movie", items | described)
    connection.executemany(IMPORT_MOVIE, prepared.movies)
    connection.executemany(SET_AVAILABLE, prepared.availability)
    only_rated = sorted((items - described) & unknown)
    connection.executemany(ADD_MOVIE, (movie_row(Movie(item, item)) for item in only_rated))
    raters = set(ratings.get_column("user").unique())
    new = _unknown(connection, "user", raters.union(row[0] for row in prepared.users))
    connection.executemany(IMPORT_USER, prepared.users)
    connection.executemany(ADD_USER, ((user,) for user in sorted(raters & new)))
    return Known(frozenset(raters - new), len(new), len(unknown))


def _unknown(connection: sqlite3.Connection, table: str, ids: set[str]) -> set[str]:
    """Return the ids that are not stored yet: one statement, as there may be many."""
    query = (
        f"SELECT value FROM json_each(?) WHERE NOT EXISTS "  # noqa: S608
        f"(SELECT 1 FROM {table}s WHERE {table}_id = value)"
    )
    given = json.dumps(sorted(ids), ensure_ascii=False)
    return {one for (one,) in connection.execute(query, (given,))}


def store_ratings(
    chunk: pl.DataFrame, transaction: Transaction, before: frozenset[str], received: int
) -> None:
    """Give each new or changed row the next version, and store those.

    Parameters
    ----------
    chunk
        Prepared rows.
    before
        The users who may have ratings.
    received
        The time of rows that have none.
    """
    if before:
        chunk = chunk.filter(pl.Series(_changes(chunk, transaction, before), dtype=pl.Boolean))
    else:
        transaction.n_ratings += chunk.height
    first = transaction.version + 1
    transaction.version += chunk.height
    rows = chunk.with_columns(
        pl.col("timestamp").fill_null(received),
        version=pl.int_range(first, transaction.version + 1),
    )
    transaction.connection.executemany(PUT_RATING, rows.iter_rows(buffer_size=8192))


def _changes(chunk: pl.DataFrame, transaction: Transaction, users: frozenset[str]) -> list[bool]:
    """Return for each row whether it is not stored yet just so; count the new ones."""
    find = transaction.connection.execute
    changes = []
    for user, item, rating, rated_at in chunk.rows():
        before = find(FIND_RATING, (user, item)).fetchone() if user in users else None
        if before is None or before[0] is None:
            transaction.n_ratings += 1
            changes.append(True)
        else:
            changes.append(before[0] != rating or rated_at not in {None, before[1]})
    return changes


def _chunks(frame: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield the rows in portions, each with the number of rows up to its end."""
    for start in range(0, frame.height, ROWS_AT_ONCE):
        chunk = frame.slice(start, ROWS_AT_ONCE)
        yield start + chunk.height, chunk
