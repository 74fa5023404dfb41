"""Products with the matrix of ratings, entry by entry.

Where an equation says X, an entry counts what its code has in a table: X is then the matrix of
stars, or whatever else the table says. An empty table makes every entry 1: X is the matrix of who
rated what. Sums run in the order of the entries, whatever the number of threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import frozen, pointers
from recommender.compiling import kernel
from recommender.solvers.threads import available_threads, deal_rows, run_shares

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recommender.arrays import Rows, SparseRows

    Array = NDArray[Any]

_PAIRS_A_THREAD = 1_000_000
"""How many pairs of entries are worth a thread: some milliseconds."""


def table_of(levels: NDArray[np.float32], values: str) -> NDArray[np.float32]:
    """Return the table for ``values="ones"``, which is empty, or ``"stars"``: the levels."""
    return np.empty(0, np.float32) if values == "ones" else levels


def times(matrix: SparseRows, table: Array, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n_rows,) ``X x`` for ``x`` of (n_columns,)."""
    out = np.zeros(matrix.n_rows)
    _times(*arrays_of(matrix), frozen(table), frozen(x), out)
    return out


def times_transposed(
    matrix: SparseRows, table: Array, y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n_columns,) ``Xᵀ y`` for ``y`` of (n_rows,)."""
    out = np.zeros(matrix.n_columns)
    _times_transposed(*arrays_of(matrix), frozen(table), frozen(y), out)
    return out


def gram(
    by_row: SparseRows, by_column: SparseRows, table: Array, threads: int | None, dtype: type
) -> Array:
    """(n_columns, n_columns) ``XᵀX``, dense.

    It takes as many steps as there are pairs of entries of one row: ``Σ_r n_r²``.

    Parameters
    ----------
    by_row, by_column
        The same matrix in both orientations.
    dtype
        ``np.float32`` or ``np.float64``: of the sums and of the result.
    """
    out: Array = np.zeros((by_row.n_columns,) * 2, dtype)
    given = (*arrays_of(by_column), *arrays_of(by_row), frozen(table.astype(dtype)), out)
    work = pairs_of_columns(by_row)
    run_over_columns(lambda columns: _gram(columns, *given), work, threads)
    return out


def pairs_of_columns(by_row: SparseRows) -> NDArray[np.int64]:
    """(n_columns,) how many entries there are, in all, in the rows of each column's entries."""
    lengths = np.diff(by_row.indptr).astype(np.float64)
    return times_transposed(by_row, np.empty(0), lengths).astype(np.int64)


def run_over_columns(
    run: Callable[[Rows], None], work: NDArray[np.int64], threads: int | None
) -> None:
    """Deal all columns to threads so that each has as much work, and run."""
    n_threads = min(threads or available_threads(), 1 + int(work.sum()) // _PAIRS_A_THREAD)
    shares = deal_rows(pointers(work), n_threads)
    run_shares(lambda columns: run(frozen(columns)), shares)


def arrays_of(matrix: SparseRows) -> tuple[Array, Array, Array]:
    """Return what the kernels see of a matrix."""
    return matrix.indptr, matrix.indices, matrix.codes


@kernel
def _times(indptr: Array, indices: Array, codes: Array, table: Array, x: Array, out: Array) -> None:
    for row in range(len(out)):
        total = 0.0
        for entry in range(indptr[row], indptr[row + 1]):
            value = x[indices[entry]]
            total += value if len(table) == 0 else value * table[codes[entry]]
        out[row] = total


@kernel
def _times_transposed(
    indptr: Array, indices: Array, codes: Array, table: Array, y: Array, out: Array
) -> None:
    for row in range(len(y)):
        value = y[row]
        for entry in range(indptr[row], indptr[row + 1]):
            out[indices[entry]] += value if len(table) == 0 else value * table[codes[entry]]


@kernel
def _gram(
    columns: Array,
    rows_indptr: Array, rows: Array, row_codes: Array,
    indptr: Array, indices: Array, codes: Array,
    table: Array, out: Array,
) -> None:  # fmt: skip
    for column in columns:
        add_gram_row(
            column, rows_indptr, rows, row_codes, indptr, indices, codes, table, out[column]
        )


@kernel
def add_gram_row(
    column: int,
    rows_indptr: Array, rows: Array, row_codes: Array,
    indptr: Array, indices: Array, codes: Array,
    table: Array, out: Array,
) -> None:  # fmt: skip
    """``out_j += Σ_r X_rc X_rj`` over the rows r of column c: one row of XᵀX."""
    for place in range(rows_indptr[column], rows_indptr[column + 1]):
        row = rows[place]
        if len(table) == 0:
            for entry in range(indptr[row], indptr[row + 1]):
                out[indices[entry]] += 1
        else:
            x = table[row_codes[place]]
            for entry in range(indptr[row], indptr[row + 1]):
                out[indices[entry]] += x * table[codes[entry]]
