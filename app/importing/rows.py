"""Rows of each kind: which columns they have, and how a row is checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import polars as pl

from app.importing import cells
from app.importing.report import BadCell, BadRow, bad_row
from recommender.data.cells import LONGEST_ATTRIBUTE, CellError, check_line
from recommender.data.titles import split_title

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from recommender.data.rating_scale import RatingScale

Kind: TypeAlias = Literal["ratings", "movies", "users"]

_USER, _MOVIE = ("user_id", "user"), ("movie_id", "item_id", "movie", "item")
COLUMNS: dict[Kind, dict[str, tuple[str, ...]]] = {
    "ratings": {
        "user": _USER,
        "item": _MOVIE,
        "rating": ("rating",),
        "timestamp": ("timestamp", "rated_at"),
    },
    "movies": {
        "movie_id": _MOVIE,
        "title": ("title",),
        "year": ("year",),
        "genres": ("genres",),
        "available": ("available",),
        "attributes": ("attributes",),
    },
    "users": {"user_id": _USER, "attributes": ("attributes",)},
}
"""The names that a column may have, the documented one first, by its role."""

REQUIRED: dict[Kind, tuple[str, ...]] = {
    "ratings": ("user", "item", "rating"),
    "movies": ("movie_id", "title"),
    "users": ("user_id",),
}
SCHEMAS: dict[Kind, dict[str, pl.DataType]] = {
    "ratings": {
        "user": pl.String(),
        "item": pl.String(),
        "rating": pl.Float64(),
        "timestamp": pl.Int64(),
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


@dataclass(frozen=True)
class Rules:
    """How rows of one file are checked.

    Attributes
    ----------
    kind
        What the rows are.
    scale
        The ratings that are allowed.
    latest
        The last second that a rating may be of.
    names
        What the file calls the column of each role.
    number_ids
        Whether ids are whole numbers, as in MovieLens.
    titles_with_years
        Whether titles are written as ``Matrix, The (1999)``.
    """

    kind: Kind
    scale: RatingScale
    latest: int
    names: Mapping[str, str]
    number_ids: bool = False
    titles_with_years: bool = False

    def frame(self, rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
        """Return good rows as a frame."""
        return pl.DataFrame(list(rows), schema=SCHEMAS[self.kind], orient="row")

    def check(
        self, values: Mapping[str, Any], others: Mapping[str, str] | None = None
    ) -> tuple[Any, ...]:
        """Return a row with the values of its roles, or raise :class:`BadCell` with the role.

        Parameters
        ----------
        values
            By role; a role that the row does not speak of is missing.
        others
            Further columns of a user, which become attributes.
        """
        readers = self._readers()
        row: dict[str, Any] = {}
        for role in SCHEMAS[self.kind]:
            try:
                row[role] = readers[role](values.get(role))
            except BadCell as error:
                error.role = role
                raise
        if self.kind == "ratings":
            return tuple(row.values())
        if self.kind == "movies" and self.titles_with_years:
            row["title"], row["year"] = split_title(row["title"])
        row["attributes"] = json.dumps(
            {**row["attributes"], **_further(others or {})}, ensure_ascii=False
        )
        return tuple(row.values())

    def bad(self, line: int, error: BadCell, values: Mapping[str, Any]) -> BadRow:
        """Return the row that an error spoils; of a bad rating, with the columns that would do."""
        column = None if error.role is None else self.names.get(error.role, error.role)
        fits: tuple[str, ...] = ()
        if error.role == "rating" and "off the scale" in error.found:
            others = [role for role in values if role != "rating" and self._is_rating(values[role])]
            fits = tuple(self.names[role] for role in others)
        return bad_row(line, error, column, fits)

    def _is_rating(self, value: object) -> bool:
        try:
            cells.read_rating(value, self.scale)
        except BadCell:
            return False
        return True

    def _readers(self) -> Mapping[str, Callable[[Any], Any]]:
        read_id = cells.read_number_id if self.number_ids else cells.read_id
        if self.kind == "ratings":
            return {
                "user": lambda value: read_id(value, "user_id"),
                "item": lambda value: read_id(value, "movie_id"),
                "rating": lambda value: cells.read_rating(value, self.scale),
                "timestamp": lambda value: cells.read_time(value, self.latest),
            }
        return {
            "user_id": lambda value: cells.read_id(value, "user_id"),
            "movie_id": lambda value: cells.read_id(value, "movie_id"),
            "title": cells.read_title,
            "year": cells.read_year,
            "genres": cells.read_genres,
            "available": cells.read_available,
            "attributes": cells.read_attributes,
        }


def _further(others: Mapping[str, str]) -> dict[str, str]:
    """Return further columns of a user as attributes, as far as they say something."""
    told = {}
    for name, text in others.items():
        if text.strip():
            try:
                told[name] = check_line(text, LONGEST_ATTRIBUTE)
            except CellError:
                rule = f"1 to {LONGEST_ATTRIBUTE:,} characters, no control characters"
                raise BadCell("no line of text", rule, text, name) from None
    return told
