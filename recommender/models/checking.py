"""Checks of what a model is asked, and of what has come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import frozen
from recommender.errors import InvalidInputError, TooFewRatingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recommender.arrays import Rows, SparseRows
    from recommender.data.ratings import Ratings


def check_rows(rows: Rows | Sequence[int], n_rows: int) -> Rows:
    """Return (B,) int64 rows, each from 0 to n_rows - 1.

    Raises
    ------
    InvalidInputError
        When they are no whole numbers, not in one dimension, or outside that range.
    """
    given = np.asarray(rows)
    if given.ndim != 1 or (given.dtype.kind not in "iu" and len(given)):
        raise InvalidInputError(
            f"rows must be whole numbers in one dimension; "
            f"found {given.dtype} of the shape {given.shape}"
        )
    outside = (given < 0) | (given >= n_rows)
    if outside.any():
        place = int(np.argmax(outside))
        raise InvalidInputError(
            f"rows[{place}] is {given[place]}; there are {n_rows} users, in the rows from 0 on"
        )
    whole: Rows = given.astype(np.int64)
    return whole


def check_histories(histories: SparseRows, n_items: int) -> None:
    """Refuse histories that cannot be about a model's items.

    Raises
    ------
    InvalidInputError
        When they have another number of columns.
    """
    if histories.n_columns != n_items:
        raise InvalidInputError(
            f"histories have {histories.n_columns} items and the model {n_items}; "
            f"their columns must be the item rows of the model"
        )


def check_any(ratings: Ratings) -> None:
    """Refuse to learn from nothing.

    Raises
    ------
    TooFewRatingsError
        When there are no ratings.
    """
    if ratings.n_ratings == 0:
        raise TooFewRatingsError("there are no ratings; training needs at least one")


def checked_floats(numbers: NDArray[Any], advice: str) -> NDArray[np.float32]:
    """Return a result as read-only float32.

    Raises
    ------
    InvalidInputError
        When it has become infinite or no number, with what to do about it.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        single = numbers.astype(np.float32, copy=False)
    # The extremes are as finite as all, and need no array beside a large one.
    if not (np.isfinite(single.min(initial=0)) and np.isfinite(single.max(initial=0))):
        raise InvalidInputError(f"values are too large to compute with; {advice}")
    return frozen(single)


def check_table(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    """Refuse a table of a model that is not float32 of this shape.

    Raises
    ------
    InvalidInputError
        With what was found.
    """
    if array.shape != shape or array.dtype != np.float32:
        raise InvalidInputError(
            f"{name} must be float32 of the shape {shape}; "
            f"found {array.dtype} of the shape {array.shape}"
        )


def last_of_each(rows: Rows, values: NDArray[np.float32]) -> tuple[Rows, NDArray[np.float32]]:
    """Return the distinct rows, increasing, and of each the value that stands last."""
    # A row's place from the end: the first of these is the last that was given.
    distinct, from_the_end = np.unique(rows[::-1], return_index=True)
    return distinct, values[::-1][from_the_end]


def unknown_id(kind: str, given: object) -> str:
    """Say that a user or an item is not one of the model's."""
    return f"unknown {kind} {given!r}: it is not in the ratings that the model was trained on"
