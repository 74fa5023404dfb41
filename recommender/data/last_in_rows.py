"""Which entries of each row of a sparse matrix come last, by time or by lot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

_BLOCK = 1 << 15
"""Entries at a time: what sorting takes stays small beside all of them, and near the processor."""


def last_by(
    indptr: NDArray[np.int64],
    many: NDArray[np.int64],
    keys: Callable[[slice], NDArray[Any]],
) -> NDArray[np.bool_]:
    """Choose so many entries of each row: those with the largest keys.

    Parameters
    ----------
    indptr
        (n_rows + 1,) int64: row r owns the entries ``indptr[r] : indptr[r + 1]``.
    many
        (n_rows,) how many entries of each row are chosen, at most all.
    keys
        Gives the keys of consecutive entries; called for one block after the other, front to
        back. Of equal keys the later entry counts as larger.

    Returns
    -------
    (n_entries,) bool.
    """
    chosen = np.zeros(int(indptr[-1]), np.bool_)
    for first, end in _blocks(indptr):
        entries = slice(int(indptr[first]), int(indptr[end]))
        counts = np.diff(indptr[first : end + 1])
        # In 16 bits, rows are sorted by their digits: in half the time of numbers compared.
        rows = np.repeat(np.arange(end - first, dtype=np.min_scalar_type(end - first)), counts)
        ascending = np.lexsort((keys(entries), rows))  # stable, row by row
        from_the_end = indptr[first + 1 : end + 1][rows] - np.arange(entries.start, entries.stop)
        chosen[entries.start + ascending[from_the_end <= many[first:end][rows]]] = True
    return chosen


def last_by_lot(
    indptr: NDArray[np.int64], many: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.bool_]:
    """Choose so many entries of each row at random, each set of them with the same chance."""
    return last_by(indptr, many, lambda entries: generator.random(entries.stop - entries.start))


def as_fraction(fraction: object, name: str = "fraction") -> float:
    """Return a number between 0 and 1, both excluded.

    Raises
    ------
    InvalidInputError
        When it is none.
    """
    if not isinstance(fraction, int | float | np.number) or not 0 < fraction < 1:
        raise InvalidInputError(f"{name} must lie between 0 and 1; found {fraction!r}")
    return float(fraction)


def floors(counts: NDArray[np.int64], fraction: float) -> NDArray[np.int64]:
    """``floor(fraction · n)`` for each n, with a fraction between 0 and 1."""
    # The small addition keeps 0.29 · 100, which is 29 on paper, from being 28 in binary; and the
    # limit keeps it from making all of nearly all.
    whole = np.floor(counts * fraction + 1e-9).astype(np.int64)
    most: NDArray[np.int64] = np.minimum(whole, np.maximum(counts - 1, 0))
    return most


def _blocks(indptr: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Cut the rows into runs of so many entries, or of one row that alone has more."""
    first = 0
    while first < len(indptr) - 1:
        fitting = int(np.searchsorted(indptr, indptr[first] + _BLOCK, side="right")) - 1
        end = max(fitting, first + 1)
        yield first, end
        first = end
