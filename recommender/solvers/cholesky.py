"""The exact solver: each row's normal equations, built and factorized by Cholesky.

Compiled by Numba to loops over contiguous float32 rows, so that the compiler can use the widest
vector instructions. Of a symmetric matrix only the upper triangle is kept: row i from its
diagonal on.

A row with fewer entries than half the factors is solved in its dual form, where the unknowns
are its entries: n³/6 multiplications in place of k³/6. See :func:`_solve_dual`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numba import njit

from recommender.arrays import SparseRows, frozen
from recommender.solvers.threads import run_shares

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recommender.arrays import Rows

# Sums may be reordered and multiply-adds fused, but NaN stays NaN and infinity infinity: bad
# numbers must come out as bad numbers.
_FAST = {"contract", "reassoc", "nsz"}


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on first use, and keep the machine code where there is a place for it.

    Where there is none (installed by root, run by a user without a home), Numba would refuse the
    import; then every process compiles for itself.
    """
    options: dict[str, Any] = {"nogil": True, "fastmath": _FAST, "error_model": "numpy"}
    compiled: Callable[..., Any]
    try:
        compiled = njit(cache=True, **options)(function)
    except RuntimeError:
        compiled = njit(**options)(function)
    return compiled


_DEPENDENT = np.float32(1e-6)
"""A pivot below this part of its diagonal is rounding: that direction is already spoken for."""


@dataclass(frozen=True, eq=False)
class Standing:
    """The side that stands still, prepared for one half-step.

    Attributes
    ----------
    vectors
        (m, k) float32 x_j.
    gram
        (k, k) float32: what every row's equation shares.
    rotated
        (m, k) float32: x_j in the eigenvectors of ``gram``; no rows when not prepared.
    eigenvalues, eigenvectors
        (k,) and (k, k) float32 of ``gram``, an eigenvector a column.
    """

    vectors: NDArray[np.float32]
    gram: NDArray[np.float32]
    rotated: NDArray[np.float32]
    eigenvalues: NDArray[np.float32]
    eigenvectors: NDArray[np.float32]

    @classmethod
    def for_many_rows(cls, vectors: NDArray[np.float32], gram: NDArray[np.float32]) -> Self:
        """Prepare both forms of the equations: worth it when many rows follow."""
        eigenvalues, eigenvectors = np.linalg.eigh(gram.astype(np.float64))
        basis = np.ascontiguousarray(eigenvectors, dtype=np.float32)
        floor = np.maximum(eigenvalues, 0).astype(np.float32)
        return cls(vectors, gram, vectors @ basis, floor, basis)

    @classmethod
    def for_one_row(cls, vectors: NDArray[np.float32], gram: NDArray[np.float32]) -> Self:
        """Prepare nothing: one row is solved sooner than ``gram`` is taken apart."""
        k = vectors.shape[1]
        return cls(vectors, gram, np.empty((0, k), np.float32), np.empty(k, np.float32), gram)


def prepare() -> None:
    """Compile every kernel now, or load it from the cache, so that nobody waits for it later."""
    one = np.ones(1, dtype=np.float32)
    square = np.ones((1, 1), dtype=np.float32)
    matrix = SparseRows(np.array([0, 1], np.int64), np.zeros(1, np.int32), one, 1)
    rows = [np.zeros(1, dtype=np.int64)]
    solve_rows(matrix, one, one, Standing.for_many_rows(square, square), one, square.copy(), rows)
    observed_squares(matrix, one, one, square, square, rows)


def solve_rows(
    matrix: SparseRows,
    weights: NDArray[np.float32],
    targets: NDArray[np.float32],
    standing: Standing,
    ridge: NDArray[np.float32],
    out: NDArray[np.float32],
    shares: list[Rows],
) -> None:
    """Solve ``(gram + Σ_j w_j x_j x_jᵀ + ridge_r·I) y_r = Σ_j t_j x_j`` for each row r.

    The parameters are those of :func:`recommender.solvers.reference.solve_rows`; the rows of
    ``shares`` are written to ``out`` (n, k), one thread a share. Targets must be 0 where weights
    are.
    """
    # Numba compiles anew for read-only arrays, and a model on disk is one: so all are, always.
    given = (
        matrix.indptr, matrix.indices, weights, targets, standing.vectors, standing.gram,
        standing.rotated, standing.eigenvalues, standing.eigenvectors, ridge,
    )  # fmt: skip
    plain = [frozen(np.asarray(array)) for array in given]

    def work(rows: Rows) -> None:
        _solve_share(frozen(rows), *plain, out)

    run_shares(work, shares)


@kernel
def _solve_share(
    rows,
    indptr,
    indices,
    weights,
    targets,
    vectors,
    gram,
    rotated,
    eigenvalues,
    eigenvectors,
    ridge,
    out,
):
    k = vectors.shape[1]
    short = k // 2 if len(rotated) else 0
    A = np.empty((k, k), np.float32)
    b = np.empty(k, np.float32)
    scaled = np.empty((short + 1, k), np.float32)
    for row in rows:
        begin, end = indptr[row], indptr[row + 1]
        held = ridge[row]
        if begin == end:
            out[row, :] = 0
            continue
        j, w, t = indices[begin:end], weights[begin:end], targets[begin:end]
        # The dual form divides by the shared part: it must not vanish in any direction.
        smallest, largest = eigenvalues[0] + held, eigenvalues[k - 1] + held
        if end - begin <= short and smallest > _DEPENDENT * largest:
            _solve_dual(j, w, t, rotated, eigenvalues, eigenvectors, held, A, b, scaled)
        else:
            for i in range(k):
                A[i, i:] = gram[i, i:]
                A[i, i] += held
            b[:] = 0
            _add_entries(A, b, j, w, t, vectors)
            _factorize(A)
            _substitute(A, b)
        out[row, :] = b


@kernel
def _solve_dual(indices, weights, targets, rotated, eigenvalues, eigenvectors, held, A, b, scaled):
    """Solve for the n entries instead of the k factors, and leave the solution in b.

    In the eigenvectors Q of gram, the shared part is the diagonal D = eigenvalues + ridge. With
    Z = S X Q D^-½ (n, k) and S = diag(√w), the solution is ``y = Q D^-½ Zᵀ (I + Z Zᵀ)⁻¹ S⁻¹ t``
    (push-through identity).
    """
    n, k = len(indices), len(eigenvalues)
    shrink = scaled[n]  # D^-½
    shrink[:] = np.float32(1) / np.sqrt(eigenvalues + held)
    for row in range(n):
        x, z = rotated[indices[row]], scaled[row]
        root = np.sqrt(weights[row])
        for i in range(k):
            z[i] = root * x[i] * shrink[i]
        b[row] = targets[row] / root if root > 0 else np.float32(0)
        for other in range(row + 1):
            z2 = scaled[other]
            product = np.float32(0)
            for i in range(k):
                product += z[i] * z2[i]
            A[other, row] = product
        A[row, row] += np.float32(1)
    _factorize(A[:n, :n])
    _substitute(A[:n, :n], b[:n])
    y = A[k - 1]  # a row that the small system did not need
    y[:] = 0
    for row in range(n):
        z, v = scaled[row], b[row]
        for i in range(k):
            y[i] += v * z[i]
    for i in range(k):
        y[i] *= shrink[i]
    for i in range(k):
        q = eigenvectors[i]
        total = np.float32(0)
        for j in range(k):
            total += q[j] * y[j]
        b[i] = total


@kernel
def _add_entries(A, b, indices, weights, targets, other):
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


@kernel
def _factorize(A):
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


@kernel
def _substitute(U, b):
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
    given = (matrix.indptr, matrix.indices, weights, targets, rows, columns)
    plain = [frozen(np.asarray(array)) for array in given]

    def work(share: Rows) -> float:
        return float(_squares_of_share(frozen(share), *plain))

    return float(sum(part or 0.0 for part in run_shares(work, shares)))


@kernel
def _squares_of_share(share, indptr, indices, weights, targets, rows, columns):
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
