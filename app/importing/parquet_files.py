"""Parquet: typed columns, read a slice of rows at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from app.importing import cells
from app.importing.pieces import ROWS_AT_ONCE, Piece
from app.importing.report import BadCell, BadRow
from app.importing.rows import COLUMNS, REQUIRED, Kind, Rules
from recommender.data.tables import find_columns
from recommender.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recommender.data.rating_scale import RatingScale

_TIMES = (pl.Datetime, pl.Date)
_ALLOWED = {
    "user": "texts or whole numbers",
    "item": "texts or whole numbers",
    "user_id": "texts or whole numbers",
    "movie_id": "texts or whole numbers",
    "rating": "numbers",
    "timestamp": "whole numbers or dates and times",
    "title": "texts",
    "year": "whole numbers",
    "genres": "lists of texts, or texts",
    "available": "truth values",
    "attributes": "texts",
}


@dataclass(frozen=True)
class ParquetFile:
    """One file.

    Attributes
    ----------
    path
        Where it is.
    kind
        What its rows are.
    scale, latest
        See :class:`~app.importing.rows.Rules`.
    """

    path: Path
    kind: Kind
    scale: RatingScale
    latest: int

    @property
    def name(self) -> str:
        """What errors call it."""
        return str(self.path)

    def pieces(self, position: dict[str, Any] | None = None) -> Iterator[Piece]:
        """Yield its rows, from the position of an earlier piece on.

        Raises
        ------
        FileFormatError
            When it is damaged, a column is missing, or one has a type that cannot be meant.
        """
        start = int(position["row"]) if position else 0
        try:
            schema = pl.read_parquet_schema(self.path)
            places = find_columns(list(schema), COLUMNS[self.kind], REQUIRED[self.kind], self.name)
            names = {role: list(schema)[place] for role, place in places.items()}
            self._check_types(pl.Schema(schema), names)
            frames = pl.scan_parquet(self.path, glob=False).select(
                pl.col(name).alias(role) for role, name in names.items()
            )
            rows = int(frames.select(pl.len()).collect().item())
            rules = Rules(self.kind, self.scale, self.latest, names)
            while start < rows:
                found = frames.slice(start, ROWS_AT_ONCE).collect(engine="streaming")
                if "timestamp" in names and isinstance(found.schema["timestamp"], _TIMES):
                    found = found.with_columns(pl.col("timestamp").dt.epoch("s"))
                frame, bad = self._read(found, start, rules)
                start += found.height
                yield Piece(self.kind, frame, bad, {"row": start}, start / rows)
                if not found.height:
                    break
        except pl.exceptions.PolarsError as error:
            raise FileFormatError(
                self.name, f"this Parquet file cannot be read: {_told(error)}"
            ) from error
        except OSError as error:
            raise FileFormatError(self.name, f"cannot be read: {_told(error)}") from error

    def _check_types(self, schema: pl.Schema, names: dict[str, str]) -> None:
        for role, name in names.items():
            if not _fits(role, schema[name]):
                raise FileFormatError(
                    self.name,
                    f"column {name!r}: found the type {schema[name]}; allowed: {_ALLOWED[role]}",
                )

    def _read(
        self, found: pl.DataFrame, start: int, rules: Rules
    ) -> tuple[pl.DataFrame, list[BadRow]]:
        if self.kind == "ratings":
            frame = self._typed(found)
            if cells.good_ratings(frame, self.scale, self.latest):
                scaled = cells.on_scale(frame.get_column("rating"), self.scale)
                return frame.with_columns(scaled), []
        good: list[tuple[Any, ...]] = []
        bad: list[BadRow] = []
        for row, values in enumerate(found.iter_rows(named=True), start=start + 1):
            try:
                if isinstance(values.get("rating"), float):
                    values["rating"] = round(values["rating"], 6)
                good.append(rules.check(values))
            except BadCell as error:
                bad.append(rules.bad(row, error, values))
        return rules.frame(good), bad

    def _typed(self, found: pl.DataFrame) -> pl.DataFrame:
        if "timestamp" not in found.columns:
            found = found.with_columns(timestamp=pl.lit(None, dtype=pl.Int64))
        return found.select(
            pl.col("user", "item").cast(pl.String),
            pl.col("rating").cast(pl.Float64).round(6),
            pl.col("timestamp").cast(pl.Int64, strict=False),
        )


def _fits(role: str, kind: pl.DataType) -> bool:
    text = isinstance(kind, pl.String | pl.Categorical | pl.Enum)
    whole = kind.is_integer()
    fitting = {
        "rating": kind.is_numeric(),
        "timestamp": whole or isinstance(kind, _TIMES),
        "title": text,
        "year": whole,
        "genres": text or kind == pl.List(pl.String),
        "available": kind == pl.Boolean,
        "attributes": text,
    }
    return fitting.get(role, text or whole) or isinstance(kind, pl.Null)


def _told(error: Exception) -> str:
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__
