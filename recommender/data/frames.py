"""Columns of other people's tables, through Polars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


def as_polars(frame: Any, wanted: Iterable[str | None]) -> pl.DataFrame:
    """Return the table as Polars has it, with the wanted columns among its own.

    Raises
    ------
    InvalidInputError
        When it is no table, or a column is not there; ``None`` asks for none.
    """
    table = _as_polars(frame)
    for column in wanted:
        if column is not None and column not in table.columns:
            raise InvalidInputError(
                f"there is no column {column!r}; the frame has {', '.join(table.columns)}"
            )
    return table


def _as_polars(frame: Any) -> pl.DataFrame:
    if isinstance(frame, pl.DataFrame):
        return frame
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    try:
        table = pl.DataFrame(frame)
    except Exception as error:
        raise InvalidInputError(
            f"this {type(frame).__name__} is no table that Polars can read: {error}"
        ) from None
    return table


def numbers(column: pl.Series) -> NDArray[Any]:
    """Return a column of numbers without gaps as NumPy has it."""
    if not (column.dtype.is_numeric() or column.dtype == pl.Null):
        raise InvalidInputError(f"column {column.name!r} must be numbers; found {column.dtype}")
    if column.null_count():
        row = int(column.is_null().arg_max() or 0)
        raise InvalidInputError(f"column {column.name!r} has no value in row {row}")
    return column.to_numpy()
