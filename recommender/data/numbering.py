"""From ids to rows: which row each of millions of ids belongs to, without writing it down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import frozen, index_type
from recommender.counting import count, look_up, number_distinct
from recommender.errors import InvalidIdError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Indices

MAXIMUM_ROWS = 2**31 - 1
"""Users or items in one matrix: a row is kept in 32 bits."""

_SMALL_SPAN = 1 << 18


@dataclass(frozen=True, eq=False)
class Numbered:
    """The row of each key: ``table[keys - low]``.

    Whoever reads the keys once, front to back, needs no array of rows beside them.

    Attributes
    ----------
    keys
        (n,) int32 or int64, contiguous.
    low
        What the first place of the table stands for.
    table
        (span,) int32: the row of each key; anything where there is no such key.
    counts
        (n_rows,) int64: how many keys belong to each row.
    """

    keys: NDArray[Any]
    low: int
    table: NDArray[np.int32]
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name in ("keys", "table", "counts"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def __len__(self) -> int:
        return len(self.keys)

    def rows(self) -> Indices:
        """(n,) the rows, written down."""
        rows: Indices = np.empty(len(self.keys), index_type(len(self.counts)))
        look_up(self.table, self.keys, self.low, rows)
        return rows


def number_integers(ids: NDArray[Any]) -> tuple[NDArray[np.int64], Numbered]:
    """Number whole-number ids by their rank among the distinct ones.

    Parameters
    ----------
    ids
        (n,) whole numbers within 64 bits with a sign.

    Returns
    -------
    (m,) int64 the distinct ids, ascending; and the row of each given id.
    """
    keys = np.ascontiguousarray(ids, ids.dtype if ids.dtype == np.int32 else np.int64)
    if len(keys) == 0:
        return _ranked(np.empty(0, np.int64), keys)
    low, high = int(keys.min()), int(keys.max())
    span = high - low + 1
    # A table takes up to 16 bytes for each number between the ends while it is made.
    if span <= max(len(keys) // 16, min(16 * len(keys), _SMALL_SPAN)):
        counts = np.zeros(span, np.int64)
        count(frozen(keys), low, counts)
        present = counts > 0
        table = np.cumsum(present, dtype=np.int32) - np.int32(1)
        return np.flatnonzero(present) + low, Numbered(keys, low, table, counts[present])
    numbers = np.zeros(len(keys), np.int32)
    distinct = number_distinct(frozen(keys), numbers, MAXIMUM_ROWS)
    if distinct is None:
        raise InvalidIdError(f"there are more than {MAXIMUM_ROWS} different ids")
    return _ranked(distinct.astype(np.int64), numbers)


def number_by(keys: NDArray[Any], table: NDArray[np.int32], n_rows: int) -> Numbered:
    """Wrap whole numbers from 0 on whose rows are known.

    Parameters
    ----------
    keys
        (n,) int32 or int64, contiguous.
    table
        (size,) the row of each number that there may be; anything where there is none.
    n_rows
        How many rows there are.
    """
    by_key = np.zeros(len(table), np.int64)
    count(frozen(keys), 0, by_key)
    counts = np.bincount(table, weights=by_key, minlength=n_rows).astype(np.int64)
    return Numbered(keys, 0, table, counts)


def _ranked(
    distinct: NDArray[np.int64], numbers: NDArray[Any]
) -> tuple[NDArray[np.int64], Numbered]:
    """Turn numbers in the order of appearance into numbers in the order of the ids."""
    order = np.argsort(distinct)
    ranks = np.empty(len(order), np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32)
    return distinct[order], number_by(numbers, ranks, len(order))
