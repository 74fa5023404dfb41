"""A block of factors at a time, the others standing still: exact, but never k × k.

Building a row's whole matrix takes n k² operations. Solving a block of d factors, then the next,
takes n k d: for many factors that is far less, and each block is solved exactly. What the row's
products miss their goals by is kept up to date from block to block.

Rendle, Krichene, Zhang, Koren, "iALS++: Speeding up Matrix Factorization with Subspace
Optimization" (2021). Here all blocks of a row are solved before the next row's, because its
vectors are then in the cache; the paper takes all rows before the next block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import frozen
from recommender.compiling import kernel
from recommender.solvers.cholesky import solve_symmetric
from recommender.solvers.entries import AHEAD, clear, count_up, load_entries
from recommender.solvers.threads import run_shares
from recommender.solvers.vectors import (
    GROUP,
    LANES,
    add_products,
    add_rows,
    add_squares,
    dots,
    gather,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.solvers.equations import Equations, Standing

BLOCK = 2 * LANES
"""Factors solved together."""

_CHUNK = 512
"""Entries gathered at a time."""


def solve(equations: Equations, standing: Standing, out: NDArray[np.float32]) -> float:
    """Improve each row by one pass over the blocks of its factors.

    Parameters
    ----------
    equations, standing
        The rows, and what they are solved against; ``gram`` must be diagonal.
    out
        (n, k) float32: where each row starts, and then where it has come to. A row without
        entries becomes 0.

    Returns
    -------
    The sum over rows of what each row minimizes, where it has come to.
    """
    given = (*equations.arrays(), *standing.arrays(), out)
    losses = np.zeros(len(out))
    longest = int(np.diff(equations.matrix.indptr).max(initial=0))
    run_shares(lambda rows: _solve_share(frozen(rows), *given, losses, longest), equations.shares)
    return float(losses.sum())  # in the order of rows, whichever thread had them


@kernel
def _solve_share(
    rows, indptr, indices, codes, roots, goals, ridge, vectors, baselines, eigenvalues, out,
    losses, longest,
):  # fmt: skip
    k = vectors.shape[1]
    A, T = np.empty((k, k), np.float32), np.empty((_CHUNK, k), np.float32)
    room = -(-longest // GROUP) * GROUP
    each, chosen = np.empty(_CHUNK, np.int32), np.empty(room + AHEAD, np.int32)
    count_up(each)
    scale, target = np.empty(room, np.float32), np.empty(room, np.float32)
    left, moved = np.empty(room, np.float32), np.empty(_CHUNK, np.float32)
    shared, change = np.empty(k, np.float32), np.empty(k, np.float32)
    for row in rows:
        begin, n, y = indptr[row], indptr[row + 1] - indptr[row], out[row]
        if n == 0:
            clear(y)
            continue
        whole = load_entries(
            begin, n, indices, codes, roots, goals, baselines, chosen, scale, target
        )
        loss = _start(
            vectors, chosen, whole, scale, target, eigenvalues, ridge[row], y, shared, left
        )
        gathered = whole <= _CHUNK  # all columns at once, or a block's when its turn comes
        if gathered:
            _gather(vectors, chosen, 0, whole, 0, k, scale, T)
        for first in range(0, k, BLOCK):
            last = min(first + BLOCK, k)
            _start_block(A, change, shared, y, first, last)
            for at in range(0, whole, _CHUNK):
                size = min(_CHUNK, whole - at)
                if not gathered:
                    _gather(vectors, chosen, at, size, first, last, scale, T)
                _add_chunk(A, change, T, each, size, first, last, left[at : at + size])
            loss -= solve_symmetric(A, change, first, last)
            for i in range(first, last):
                y[i] += change[i]
            for at in range(0, whole, _CHUNK):
                size = min(_CHUNK, whole - at)
                if not gathered:
                    _gather(vectors, chosen, at, size, first, last, scale, T)
                _take_off(change, T, each, size, first, last, moved, left[at : at + size])
        losses[row] = loss


@kernel
def _start(vectors, chosen, whole, scale, target, eigenvalues, held, y, shared, left):
    """Write what all rows share, and what is left of the goals; return what the row minimizes."""
    loss = 0.0
    for i in range(len(y)):
        shared[i] = eigenvalues[i] + held
        loss += np.float64(shared[i]) * y[i] * y[i]
    for e in range(0, whole, GROUP):
        dots(vectors, chosen, e, 0, len(y), y, left)
    for e in range(whole):
        left[e] = target[e] - scale[e] * left[e]
        loss += np.float64(left[e]) * left[e]
    return loss


@kernel
def _gather(vectors, chosen, at, size, first, last, scale, T):
    """Gather some columns of some of a row's vectors into the tile."""
    for e in range(0, size, GROUP):
        gather(vectors, chosen, at + e, at + e + AHEAD, first, last, scale, T, e)


@kernel
def _start_block(A, change, shared, y, first, last):
    """A = the shared part of the block, change = what it asks for where the row stands."""
    for i in range(first, last):
        change[i] = -shared[i] * y[i]
        for j in range(first, last):
            A[i, j] = 0
        A[i, i] = shared[i]


@kernel
def _add_chunk(A, change, T, each, size, first, last, left):
    """Add what the tile's vectors say of a block: ``Σ x xᵀ`` to A, ``Σ left x`` to change."""
    for e in range(0, size, GROUP):
        add_rows(T, each, e, first, last, left, change)
    for i in range(first, last, LANES):
        add_squares(A, i, T, size)
        for j in range(i + LANES, last, LANES):
            add_products(A, i, j, T, size)


@kernel
def _take_off(change, T, each, size, first, last, moved, left):
    """Take off what the block's change already explains."""
    for e in range(0, size, GROUP):
        dots(T, each, e, first, last, change, moved)
    for e in range(size):
        left[e] -= moved[e]
