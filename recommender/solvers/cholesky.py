"""The exact solver: each row's normal equations, built and factorized by Cholesky.

Of a symmetric matrix only the blocks on and above the diagonal are kept. A row with fewer
entries than factors is solved in its dual form, where the unknowns are its entries: see
:func:`_solve_dual`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import frozen
from recommender.compiling import kernel
from recommender.solvers.entries import AHEAD, clear, count_up, load_entries
from recommender.solvers.threads import run_shares
from recommender.solvers.vectors import (
    GROUP,
    LANES,
    add_products,
    add_rows,
    add_squares,
    backward_block,
    factorize_block,
    fetch,
    forward_block,
    gather,
    solve_block,
    subtract_finished,
    transpose_block,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Codes, Indices
    from recommender.solvers.equations import Equations, Standing

_DEPENDENT = np.float32(1e-6)
"""A pivot below this part of the largest diagonal is rounding: that direction is spoken for."""

_ONLY_ROW = frozen(np.zeros(1, np.int64))

CHUNK = 128
"""Entries gathered at a time: at 64 factors they and the matrix stay in a core's own cache."""


def solve(equations: Equations, standing: Standing, out: NDArray[np.float32]) -> float:
    """Solve each row exactly.

    Parameters
    ----------
    equations, standing
        The rows, and what they are solved against; ``gram`` may be whole or diagonal.
    out
        (n, k) float32, written; a row without entries becomes 0.

    Returns
    -------
    The sum over rows of what each row minimizes, at its minimum.
    """
    given = (*equations.arrays(), *standing.read_only, out)
    losses = np.zeros(len(out))
    run_shares(lambda rows: _solve_share(frozen(rows), *given, losses), equations.shares)
    return float(losses.sum())  # in the order of rows, whichever thread had them


def solve_one(
    columns: Indices,
    codes: Codes,
    weights: NDArray[np.float32],
    goals: NDArray[np.float32],
    ridge: float,
    standing: Standing,
) -> NDArray[np.float32]:
    """Solve one row, with as little around it as there can be: a request waits for it.

    Parameters
    ----------
    columns, codes
        (n,) which x_j it has, and which weight and goal goes with each.
    weights, goals
        (n_levels,) float32.
    ridge
        Its regularization.
    standing
        What it is solved against.

    Returns
    -------
    (k,) float32, the padded width of the standing side; zero for a row without entries.
    """
    out = np.empty((1, standing.vectors.shape[1]), np.float32)
    given = np.array([0, len(columns)]), columns, codes, np.sqrt(weights), goals
    held = np.array([ridge], np.float32)
    _solve_share(
        _ONLY_ROW, *map(frozen, given), frozen(held), *standing.read_only, out, np.zeros(1)
    )
    row: NDArray[np.float32] = out[0]
    return row


@kernel
def _solve_share(
    rows, indptr, indices, codes, roots, goals, ridge, vectors, baselines, eigenvalues, gram, out,
    losses,
):  # fmt: skip
    k = vectors.shape[1]
    short = _longest_dual(k) if len(eigenvalues) else 0
    room = -(-max(CHUNK, short) // LANES) * LANES
    A, T = np.empty((k, k), np.float32), np.empty((room, k), np.float32)
    Z, v = np.empty((k, room), np.float32), np.empty(room, np.float32)
    each, chosen = np.empty(room, np.int32), np.empty(room + AHEAD, np.int32)
    count_up(each)
    scale, target = np.empty(room, np.float32), np.empty(room, np.float32)
    shrink = np.empty(k, np.float32)
    for turn in range(len(rows)):
        row, following = rows[turn], rows[min(turn + 1, len(rows) - 1)]
        begin, end, held, y = indptr[row], indptr[row + 1], ridge[row], out[row]
        clear(y)
        dual = 0 < end - begin <= short and _is_safe(eigenvalues, held)
        loss = 0.0
        if end - begin > 0 and not dual:
            _start(A, eigenvalues, gram, held)
        for at in range(begin, end, room):
            n = min(room, end - at)
            whole = load_entries(
                at, n, indices, codes, roots, goals, baselines, chosen, scale, target
            )
            for e in range(0, whole, GROUP):
                gather(vectors, chosen, e, e + AHEAD, 0, k, scale, T, e)
            if dual:
                for e in range(n):
                    v[e] = target[e]
                loss += _solve_dual(T, n, eigenvalues, held, shrink, A, Z, v)
                combine(T, each, whole, v, y)
                for i in range(k):
                    y[i] /= eigenvalues[i] + held
            else:
                loss += _squares(target, n)
                ahead, stop = next_chunk(indptr, following, at + room, end, room)
                add_chunk(A, T, whole, vectors, indices, ahead, stop)
                combine(T, each, whole, target, y)
        if end - begin > 0 and not dual:
            loss -= solve_symmetric(A, y, 0, k)
        losses[row] = loss


@kernel
def next_chunk(indptr, following, at, end, room):
    """Return from where to where the entries go that come after ``at``: of this row or the next."""
    if at < end:
        return at, min(at + room, end)
    begin = indptr[following]
    return begin, min(begin + room, indptr[following + 1])


@kernel
def _squares(x, n):
    total = 0.0
    for m in range(n):
        total += np.float64(x[m]) * x[m]
    return total


@kernel
def _start(A, eigenvalues, gram, held):
    """A = gram + held·I."""
    k = A.shape[0]
    for i in range(k):
        for j in range(k):
            A[i, j] = gram[i, j] if len(gram) else np.float32(0)
        A[i, i] += held + (eigenvalues[i] if len(eigenvalues) else np.float32(0))


@kernel
def add_chunk(A, T, n, vectors, indices, ahead, stop):
    """A += Σ T_e T_eᵀ over the first n rows of T, on and above the diagonal.

    The next chunk's vectors are asked for on the way, a few at a time: that they come from
    memory then costs nothing.
    """
    k = A.shape[0]
    blocks = k // LANES
    pace = -(-2 * (stop - ahead) // (GROUP * blocks * (blocks + 1)))
    for i in range(0, k, LANES):
        for j in range(i, k, LANES):
            if i == j:
                add_squares(A, i, T, n)
            else:
                add_products(A, i, j, T, n)
            for _ in range(pace):
                if ahead + GROUP <= stop:
                    fetch(vectors, indices, ahead, 0, k)
                    ahead += GROUP


@kernel
def combine(T, each, n, c, y):
    """Add ``Σ c_e T_e`` to y, over the first n rows of T."""
    for e in range(0, n, GROUP):
        add_rows(T, each, e, 0, T.shape[1], c, y)


@kernel
def solve_symmetric(A, y, first, last):
    """Solve A x = y in place, on the square of A from ``first`` to ``last``; return y·x.

    A is overwritten, and only read on and above its diagonal blocks.
    """
    largest = np.float32(0)
    for i in range(first, last):
        largest = max(largest, A[i, i])
    factorize(A, first, last, _DEPENDENT * largest)
    # y·x = ‖U⁻ᵀ y‖², so that y need not be kept.
    for i in range(first, last, LANES):
        forward_block(A, i, last, y)
    product = 0.0
    for i in range(first, last):
        product += np.float64(y[i]) * y[i]
    for i in range(last - LANES, first - 1, -LANES):
        backward_block(A, i, last, y)
    return product


@kernel
def factorize(A, first, last, floor):
    """Overwrite the square of A from ``first`` to ``last`` with U, UᵀU = A.

    Blocks on the diagonal hold U and its inverse: see ``factorize_block``. A direction that
    depends on the earlier ones (regularization 0 and too few entries) is left out of the
    solution instead of being divided by rounding.
    """
    for i in range(first, last, LANES):
        for j in range(i, last, LANES):
            subtract_finished(A, first, i, j)
        factorize_block(A, i, floor)
        for j in range(i + LANES, last, LANES):
            solve_block(A, i, j)


@kernel
def _longest_dual(k):
    """How many entries a row may have for the dual form to be the sooner one; measured."""
    return 3 * k // 4


@kernel
def _is_safe(eigenvalues, held):
    """Whether the shared part vanishes in no direction: the dual form divides by it."""
    smallest = largest = eigenvalues[0] + held
    for value in eigenvalues:
        smallest, largest = min(smallest, value + held), max(largest, value + held)
    return smallest > _DEPENDENT * largest


@kernel
def _solve_dual(T, n, eigenvalues, held, shrink, A, Z, v):
    """Overwrite v = τ with the solution for the n entries instead of the k factors.

    With D = gram + ridge, which is diagonal, and the rows √w x in T, the solution of the row is
    ``y = D⁻¹ Tᵀ (I + T D⁻¹ Tᵀ)⁻¹ τ`` (push-through identity): v is all but ``D⁻¹ Tᵀ``. Returned
    is the row's minimum, ``τ·v``.
    """
    k = T.shape[1]
    size = -(-n // LANES) * LANES
    for i in range(k):
        shrink[i] = np.float32(1) / np.sqrt(eigenvalues[i] + held)
    for e in range(n, size):
        v[e] = 0
        for i in range(k):
            T[e, i] = 0
    for e in range(0, size, LANES):
        for i in range(0, k, LANES):
            transpose_block(T, e, i, shrink, Z)
    for i in range(size):
        for j in range(size):
            A[i, j] = 0
        A[i, i] = 1
    small = A[:size]
    for i in range(0, size, LANES):
        add_squares(small, i, Z, k)
        for j in range(i + LANES, size, LANES):
            add_products(small, i, j, Z, k)
    return solve_symmetric(small, v, 0, size)
