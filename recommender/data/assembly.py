"""From one entry a rating, in any order, to one sparse matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import Codes, SparseRows, frozen, index_type, pointers
from recommender.counting import are_in_order, deal, keep_last, look_up, transpose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.data.numbering import Numbered


@dataclass(eq=False)
class Entries:
    """One entry a rating, in any order, on the way into a matrix.

    Attributes
    ----------
    rows, columns
        The place of each entry.
    codes, levels
        The value of each entry, as :class:`~recommender.arrays.SparseRows` holds them.
    times
        (n,) what else belongs to each entry, or ``None``.
    """

    rows: Numbered
    columns: Numbered
    codes: Codes
    levels: NDArray[np.float32]
    times: NDArray[np.int64] | None


def assemble(entries: Entries) -> tuple[SparseRows, NDArray[np.int64] | None]:
    """Bring entries into rows; where two stand in one place, the last one wins.

    The entries are used up: what was read for the last time is let go, because the peak of
    memory is here.

    Returns
    -------
    The matrix, and the times in its order.
    """
    n_columns, levels, times = len(entries.columns.counts), entries.levels, entries.times
    indptr = pointers(entries.rows.counts)
    if are_in_order(*_places(entries)):
        matrix = SparseRows(indptr, entries.columns.rows(), entries.codes, levels, n_columns)
        return matrix, None if times is None else frozen(times.copy())
    # A radix sort whose digits are the columns and the rows. Both passes keep the order of what
    # is equal, so repeats come out as neighbours in the order given.
    by_column = _deal(entries)
    del entries.rows, entries.columns, entries.codes
    indices, codes, order = _turn(by_column, indptr, n_columns)
    del by_column
    kept = keep_last(indptr, indices, codes, order)
    if kept < len(indices):
        indices, codes, order = indices[:kept].copy(), codes[:kept].copy(), order[:kept].copy()
    matrix = SparseRows(indptr, indices, codes, levels, n_columns)
    if times is None:
        return matrix, None
    sorted_times = np.empty(kept, np.int64)
    look_up(frozen(np.ascontiguousarray(times)), frozen(order), 0, sorted_times)
    return matrix, frozen(sorted_times)


def _places(entries: Entries) -> tuple[Any, ...]:
    rows, columns = entries.rows, entries.columns
    return rows.keys, rows.low, rows.table, columns.keys, columns.low, columns.table


def _deal(entries: Entries) -> list[NDArray[Any]]:
    """Sort by column: where each begins, and its rows, codes and (for times) places before."""
    n = len(entries.codes)
    position: type[np.integer[Any]] = np.uint32 if n < 2**32 else np.int64
    carried = n if entries.times is not None else 0
    rows = np.empty(n, index_type(len(entries.rows.counts)))
    sorted_ = rows, np.zeros_like(entries.codes), np.empty(carried, position)
    begins = pointers(entries.columns.counts)
    deal(*_places(entries), frozen(entries.codes), begins[:-1].copy(), *sorted_)
    return [frozen(array) for array in (begins, *sorted_)]


def _turn(
    by_column: list[NDArray[Any]], indptr: NDArray[np.int64], n_columns: int
) -> list[NDArray[Any]]:
    """Sort by row what is sorted by column: its columns, codes and places before."""
    rows, codes, order = by_column[1:]
    indices = np.empty(len(rows), index_type(n_columns))
    sorted_ = [indices, np.zeros_like(codes), np.empty_like(order)]
    transpose(*by_column, indptr[:-1].copy(), *sorted_)
    return sorted_
