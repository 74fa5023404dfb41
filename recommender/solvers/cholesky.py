"""The exact solver: each row's normal equations, built and factorized by Cholesky.

Compiled by Numba to loops over contiguous float32 rows, so that the compiler can use the widest
vector instructions. Only the upper triangle is kept: row i from its diagonal on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from recommender.solvers.threads import run_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Rows
    from recommender.data.ratings import SparseRows

# Sums may be reordered and multiply-adds fused, but NaN stays NaN and infinity infinity: bad
# numbers must come out as bad numbers.
_FAST = {"contract", "reassoc", "nsz"}

_DEPENDENT = np.float32(1e-6)
"""A pivot below this part of its diagonal is rounding: that direction is already spoken for."""


def solve_rows(
    matrix: SparseRows,
    weights: NDArray[np.float32],
    targets: NDArray[np.float32],
    other: NDArray[np.float32],
    gram: NDArray[np.float32],
    ridge: NDArray[np.float32],
    out: NDArray[np.float32],
    shares: list[Rows],
) -> None:
    """Solve ``(gram + Σ_j w_j x_j x_jᵀ + ridge_r·I) y_r = Σ_j t_j x_j`` for each row r.

    The parameters are those of :func:`recommender.solvers.reference.solve_rows`; the rows of
    ``shares`` are written to ``out`` (n, k), one thread a share.
    """

    def work(rows: Rows) -> None:
        _solve_share(rows, matrix.indptr, matrix.indices, weights, targets, other, gram, ridge, out)

    run_shares(work, shares)


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _solve_share(rows, indptr, indices, weights, targets, other, gram, ridge, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    k = other.shape[1]
    A = np.empty((k, k), np.float32)
    b = np.empty(k, np.float32)
    for row in rows:
        begin, end = indptr[row], indptr[row + 1]
        if begin == end:
            out[row, :] = 0
            continue
        for i in range(k):
            for j in range(i, k):
                A[i, j] = gram[i, j]
            A[i, i] += ridge[row]
            b[i] = 0
        _add_entries(A, b, indices[begin:end], weights[begin:end], targets[begin:end], other)
        _factorize(A)
        _substitute(A, b)
        out[row, :] = b


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _add_entries(A, b, indices, weights, targets, other):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """A += Σ w x xᵀ (upper triangle), b += Σ t x."""
    k = len(b)
    n = len(indices)
    # Four at a time: each row of A is then loaded and stored once for four products.
    whole = n - n % 4
    for entry in range(0, whole, 4):
        x0, x1 = other[indices[entry]], other[indices[entry + 1]]
        x2, x3 = other[indices[entry + 2]], other[indices[entry + 3]]
        w0, w1, w2, w3 = weights[entry], weights[entry + 1], weights[entry + 2], weights[entry + 3]
        t0, t1, t2, t3 = targets[entry], targets[entry + 1], targets[entry + 2], targets[entry + 3]
        for i in range(k):
            a0, a1, a2, a3 = w0 * x0[i], w1 * x1[i], w2 * x2[i], w3 * x3[i]
            b[i] += t0 * x0[i] + t1 * x1[i] + t2 * x2[i] + t3 * x3[i]
            row = A[i]
            for j in range(i, k):
                row[j] += a0 * x0[j] + a1 * x1[j] + a2 * x2[j] + a3 * x3[j]
    for entry in range(whole, n):
        x = other[indices[entry]]
        w, t = weights[entry], targets[entry]
        for i in range(k):
            a = w * x[i]
            b[i] += t * x[i]
            row = A[i]
            for j in range(i, k):
                row[j] += a * x[j]


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _factorize(A):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Overwrite the upper triangle of A with U, UᵀU = A, its diagonal inverted.

    A direction that depends on the earlier ones (regularization 0 and too few entries) gets a
    row of zeros: the solution leaves it out instead of dividing by rounding.
    """
    k = A.shape[0]
    largest = np.float32(0)
    for m in range(k):
        largest = max(largest, A[m, m])
    for m in range(k):
        row = A[m]
        # Subtract what the finished rows explain, four at a time as above.
        whole = m - m % 4
        for i in range(0, whole, 4):
            u0, u1, u2, u3 = A[i], A[i + 1], A[i + 2], A[i + 3]
            a0, a1, a2, a3 = u0[m], u1[m], u2[m], u3[m]
            for j in range(m, k):
                row[j] -= a0 * u0[j] + a1 * u1[j] + a2 * u2[j] + a3 * u3[j]
        for i in range(whole, m):
            u0 = A[i]
            a0 = u0[m]
            for j in range(m, k):
                row[j] -= a0 * u0[j]
        if row[m] <= _DEPENDENT * largest:
            row[m:] = 0
            continue
        inverse = np.float32(1) / np.sqrt(row[m])
        for j in range(m + 1, k):
            row[j] *= inverse
        row[m] = inverse


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _substitute(U, b):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Overwrite b with the solution of UᵀU y = b; the diagonal of U is inverted."""
    k = len(b)
    for i in range(k):
        row = U[i]
        b[i] *= row[i]
        y = b[i]
        for j in range(i + 1, k):
            b[j] -= row[j] * y
    for i in range(k - 1, -1, -1):
        row = U[i]
        total = np.float32(0)
        for j in range(i + 1, k):
            total += row[j] * b[j]
        b[i] = (b[i] - total) * row[i]


def observed_squares(
    matrix: SparseRows,
    weights: NDArray[np.float32],
    targets: NDArray[np.float32],
    rows: NDArray[np.float32],
    columns: NDArray[np.float32],
    shares: list[Rows],
) -> float:
    """``Σ_observed w (w_r·h_c - t)²``, summed in float64.

    Parameters
    ----------
    matrix
        (n, m) sparse.
    weights, targets
        (n_entries,) the weight of each square, and what the product should be.
    rows, columns
        (n, k) and (m, k).
    """

    def work(share: Rows) -> float:
        return float(
            _squares_of_share(share, matrix.indptr, matrix.indices, weights, targets, rows, columns)
        )

    return float(sum(part or 0.0 for part in run_shares(work, shares)))


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _squares_of_share(share, indptr, indices, weights, targets, rows, columns):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    total = 0.0
    for row in share:
        w = rows[row]
        for entry in range(indptr[row], indptr[row + 1]):
            h = columns[indices[entry]]
            product = np.float32(0)
            for i in range(len(w)):
                product += w[i] * h[i]
            gap = np.float64(product) - targets[entry]
            total += weights[entry] * gap * gap
    return total
