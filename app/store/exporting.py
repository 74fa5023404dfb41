"""A whole table as frames, from one statement: of one moment, whatever is stored meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import polars as pl
from sqlalchemy import select

from app.store.tables import movies, ratings, users
from app.store.validation import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Row, Select

Kind = Literal["ratings", "movies", "users"]

ROWS_AT_ONCE = 50_000
SCHEMAS: dict[Kind, dict[str, pl.DataType]] = {
    "ratings": {
        "user_id": pl.String(),
        "movie_id": pl.String(),
        "rating": pl.Float64(),
        "rated_at": pl.Int64(),
    },
    "movies": {
        "movie_id": pl.String(),
        "title": pl.String(),
        "year": pl.Int64(),
        "genres": pl.List(pl.String()),
        "available": pl.Boolean(),
        "attributes": pl.String(),
    },
    "users": {"user_id": pl.String(), "attributes": pl.String()},
}
_QUERIES: dict[Kind, Select[*tuple[Any, ...]]] = {
    "ratings": select(ratings.c.user_id, ratings.c.movie_id, ratings.c.rating, ratings.c.rated_at)
    .where(ratings.c.rating.is_not(None))
    .order_by(ratings.c.user_id, ratings.c.movie_id),
    "movies": select(
        movies.c.movie_id,
        movies.c.title,
        movies.c.year,
        movies.c.genres,
        movies.c.available,
        movies.c.attributes,
    ).order_by(movies.c.movie_id),
    "users": select(users.c.user_id, users.c.attributes).order_by(users.c.user_id),
}


def exported(connection: Connection, kind: Kind) -> Iterator[pl.DataFrame]:
    """Yield the frames of ``Store.export``."""
    schema = pl.Schema(SCHEMAS[kind])
    streaming = connection.execution_options(stream_results=True, yield_per=ROWS_AT_ONCE)
    empty = True
    for rows in streaming.execute(_QUERIES[kind]).partitions(ROWS_AT_ONCE):
        empty = False
        yield pl.DataFrame(_plain(rows, kind), schema=schema, orient="row")
    if empty:
        yield pl.DataFrame(schema=schema)


def _plain(rows: Sequence[Row[*tuple[Any, ...]]], kind: Kind) -> list[tuple[Any, ...]]:
    if kind == "ratings":
        return [tuple(row) for row in rows]
    return [(*row[:-1], to_json(row[-1], "attributes")) for row in rows]
