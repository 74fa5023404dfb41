"""Conjugate gradients: a few steps from where a row stands towards its solution.

The matrix of a row's equation is never built: to multiply by it takes two passes over the row's
entries. The steps are preconditioned by what all rows share, ``gram + ridge``, which is a diagonal
in the basis that training turns to (``basis.py``). What is left for the steps is what the row's
own entries add, and three of them bring a row as near to its solution as alternating needs.

Hestenes and Stiefel, "Methods of Conjugate Gradients for Solving Linear Systems" (1952); for
this loss Takács, Pilászy, Tikk, "Applications of the Conjugate Gradient Method for Implicit
Feedback Collaborative Filtering" (2011).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import frozen
from recommender.compiling import inlined, kernel
from recommender.solvers.entries import AHEAD, clear, count_up, load_entries
from recommender.solvers.threads import run_shares
from recommender.solvers.vectors import (
    GROUP,
    add_projections,
    add_residuals,
    dots,
    fetch,
    gather_residuals,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Rows
    from recommender.solvers.equations import Equations, Standing

STEPS = 3
"""Steps from a warm start; the fourth changes the loss of an epoch in the fifth digit."""

_TILE = 1 << 17
"""Numbers gathered for one row: half a megabyte, so that they stay in a core's own cache."""

_WORTH_A_BLOCK = 24
"""Entries of a row that a block of vectors must have, on average, for blocks to be worth it: fewer
waste half-empty groups. A row with fewer, and too long for a tile, gets a longer tile."""

_LEAST = np.float32(1e-6)
"""Of the largest number on the diagonal: the preconditioner divides by no smaller part of it."""

_NEAR = 1 << 22
"""Numbers in a table that a processor's last cache holds: beyond it, fetching ahead pays."""


def solve(
    equations: Equations, standing: Standing, out: NDArray[np.float32], steps: int = STEPS
) -> float:
    """Improve each row by a few steps.

    Parameters
    ----------
    equations, standing
        The rows, and what they are solved against; ``gram`` must be diagonal.
    out
        (n, k) float32: where each row starts, and then where it has come to. A row without
        entries becomes 0.
    steps
        At least 1.

    Returns
    -------
    The sum over rows of what each row minimizes, where it has come to.
    """
    given = (*equations.arrays(), *standing.arrays(), out)
    losses = np.zeros(len(out))
    tile = _whole_groups(_TILE // standing.vectors.shape[1])
    block = _whole_groups(tile // 2)  # what the rows carry along needs room beside it
    lengths = np.diff(equations.matrix.indptr)
    in_a_block = lengths * (block / len(standing.vectors))
    is_long = (lengths > tile) & (in_a_block >= _WORTH_A_BLOCK)

    def work(rows: Rows) -> None:
        long, short = rows[is_long[rows]], rows[~is_long[rows]]
        longest = max(_whole_groups(int(lengths[short].max(initial=0)) + GROUP), tile)
        _solve_long(frozen(long), *given, losses, steps, block)
        _solve_short(frozen(short), *given, losses, steps, longest)

    run_shares(work, equations.shares)
    return float(losses.sum())  # in the order of rows, whichever thread had them


def _whole_groups(n: int) -> int:
    return max(n // GROUP, 1) * GROUP


@kernel
def _solve_short(
    rows, indptr, indices, codes, roots, goals, ridge, vectors, baselines, eigenvalues, out,
    losses, steps, longest,
):  # fmt: skip
    """Solve rows whose vectors are gathered into a tile once, and then serve every step."""
    k = vectors.shape[1]
    T, each = np.empty((longest, k), np.float32), np.empty(longest, np.int32)
    count_up(each)
    chosen, ones = np.empty(longest + AHEAD, np.int32), np.ones(longest, np.float32)
    scale, target = np.empty(longest, np.float32), np.empty(longest, np.float32)
    left, inverse = np.empty(longest, np.float32), np.empty(k, np.float32)
    shared, r = np.empty(k, np.float32), np.empty(k, np.float32)
    p, Ap = np.empty(k, np.float32), np.empty(k, np.float32)
    far = vectors.size > _NEAR
    for turn in range(len(rows)):
        row, following = rows[turn], rows[min(turn + 1, len(rows) - 1)]
        begin, n, y = indptr[row], indptr[row + 1] - indptr[row], out[row]
        if n == 0:
            clear(y)
            continue
        ahead, stop = indptr[following], indptr[following + 1] if far else 0
        loss = _start(eigenvalues, ridge[row], y, shared, r)
        whole = load_entries(
            begin, n, indices, codes, roots, goals, baselines, chosen, scale, target
        )
        for e in range(0, whole, GROUP):
            gather_residuals(vectors, chosen, e, e + AHEAD, 0, k, scale, target, T, y, left, r)
        loss += _squares(left, whole)
        rz = _first_direction(r, shared, inverse, p)
        for _ in range(steps - 1):
            _multiply(shared, p, Ap)
            for e in range(0, whole, GROUP):
                add_projections(T, each, e, 0, k, ones, p, Ap)
                if ahead + GROUP <= stop:  # the next row's vectors come meanwhile
                    fetch(vectors, indices, ahead, 0, k)
                    ahead += GROUP
            gained, rz = _step(y, r, p, Ap, inverse, rz)
            loss -= gained
        # After the last step no residual is needed, so only the products with p.
        for e in range(0, whole, GROUP):
            dots(T, each, e, 0, k, p, left)
        losses[row] = loss - _last_step(y, p, shared, rz, _squares(left, whole))


@kernel
def _solve_long(
    rows, indptr, indices, codes, roots, goals, ridge, vectors, baselines, eigenvalues, out,
    losses, steps, length,
):  # fmt: skip
    """Solve rows too long for a tile, side by side, as the standing vectors pass by in blocks.

    A block of vectors stays in the core's cache while all rows take from it what they need; row
    by row, each would fetch nearly all vectors from memory, at each step.
    """
    k, n_rows = vectors.shape[1], len(rows)
    r, p = np.empty((n_rows, k), np.float32), np.empty((n_rows, k), np.float32)
    Ap, shared = np.empty((n_rows, k), np.float32), np.empty((n_rows, k), np.float32)
    rz, squares = np.empty(n_rows, np.float32), np.empty(n_rows, np.float64)
    chosen, left = np.empty(length + AHEAD, np.int32), np.empty(length, np.float32)
    scale, target = np.empty(length, np.float32), np.empty(length, np.float32)
    inverse = np.empty(k, np.float32)
    bounds = np.empty((-(-vectors.shape[0] // length) + 1, n_rows), np.int64)
    _find_blocks(rows, indptr, indices, length, bounds)
    for a in range(n_rows):
        y = out[rows[a]]
        losses[rows[a]] = _start(eigenvalues, ridge[rows[a]], y, shared[a], r[a])
        for i in range(k):
            p[a, i] = y[i]
    for step in range(-1, steps):  # step -1 is the residual of the start
        for a in range(n_rows):
            squares[a] = 0
            _multiply(shared[a], p[a], Ap[a])
        for block in range(len(bounds) - 1):
            for a in range(n_rows):
                at, n = bounds[block, a], bounds[block + 1, a] - bounds[block, a]
                if n > 0:
                    whole = load_entries(
                        at, n, indices, codes, roots, goals, baselines, chosen, scale, target
                    )
                    squares[a] += _take(
                        step, steps, vectors, chosen, whole, scale, target, left, p[a], r[a], Ap[a]
                    )
        for a in range(n_rows):
            gained, rz[a] = _advance(
                step, steps, out[rows[a]], r[a], p[a], Ap[a], shared[a], inverse, rz[a], squares[a]
            )
            losses[rows[a]] -= gained


@kernel
def _find_blocks(rows, indptr, indices, length, bounds):
    """``bounds[b, a]``: where the entries of row a reach the vectors from ``b · length`` on."""
    for a in range(len(rows)):
        at, end = indptr[rows[a]], indptr[rows[a] + 1]
        for block in range(len(bounds)):
            while at < end and indices[at] < block * length:
                at += 1
            bounds[block, a] = at


@inlined
def _take(step, steps, vectors, chosen, whole, scale, target, left, p, r, Ap):
    """Take from some vectors what a step needs of them; return squares where it asks for some."""
    if step < 0:
        return _add_residuals(vectors, chosen, whole, scale, target, p, left, r)
    if step < steps - 1:
        return _add_projections(vectors, chosen, whole, scale, p, Ap)
    return _add_products(vectors, chosen, whole, scale, p, left)


@inlined
def _advance(step, steps, y, r, p, Ap, shared, inverse, rz, squares):
    """Do what a step ends with; return by how much the minimized function fell, and r·M⁻¹r."""
    if step < 0:
        return -squares, _first_direction(r, shared, inverse, p)
    if step < steps - 1:
        _invert(shared, inverse)
        return _step(y, r, p, Ap, inverse, rz)
    return _last_step(y, p, shared, rz, np.float32(squares)), rz


@inlined
def _add_residuals(X, chosen, whole, scale, target, y, left, r):
    """r += Σ w (g - x·y) x; return ``Σ w (g - x·y)²``."""
    for e in range(0, whole, GROUP):
        add_residuals(X, chosen, e, 0, len(y), scale, target, y, left, r)
    return _squares(left, whole)


@inlined
def _add_projections(X, chosen, whole, scale, p, Ap):
    """Ap += Σ w (x·p) x; there are no squares to return."""
    for e in range(whole):
        scale[e] *= scale[e]
    for e in range(0, whole, GROUP):
        add_projections(X, chosen, e, 0, len(p), scale, p, Ap)
    return np.float32(0)


@inlined
def _add_products(X, chosen, whole, scale, p, left):
    """Return ``Σ w (x·p)²``."""
    for e in range(0, whole, GROUP):
        dots(X, chosen, e, 0, len(p), p, left)
    for e in range(whole):
        left[e] *= scale[e]
    return _squares(left, whole)


@inlined
def _start(eigenvalues, held, y, shared, r):
    """Write what all rows share, and what it makes of y; return ``yᵀ shared y``."""
    loss = 0.0
    for i in range(len(y)):
        shared[i] = eigenvalues[i] + held
        r[i] = -shared[i] * y[i]
        loss += np.float64(shared[i]) * y[i] * y[i]
    return loss


@inlined
def _multiply(shared, p, Ap):
    """Ap = shared p."""
    for i in range(len(p)):
        Ap[i] = shared[i] * p[i]


@inlined
def _squares(x, n):
    total = np.float32(0)
    for m in range(n):
        total += x[m] * x[m]
    return total


@inlined
def _first_direction(r, shared, inverse, p):
    """p = M⁻¹ r with M = gram + ridge; return r·p."""
    _invert(shared, inverse)
    rz = np.float32(0)
    for i in range(len(p)):
        p[i] = r[i] * inverse[i]
        rz += r[i] * p[i]
    return rz


@inlined
def _invert(shared, inverse):
    """Write what the steps are preconditioned with: 1 / shared, from 1 for the last upwards.

    Any positive numbers would do. So where next to nothing is shared, without regularization,
    it is as if a little were, and no infinity comes of it. Eigenvalues come ascending.
    """
    largest = shared[-1]
    least = _LEAST * largest
    if largest <= 0:
        largest = least = np.float32(1)
    for i in range(len(shared)):
        inverse[i] = largest / max(least, shared[i])


@inlined
def _length(rz, curvature):
    """How far along p the minimum is: 0 where what is left cannot be squared in float32."""
    if np.isnan(rz) or np.isnan(curvature):
        return np.float32(np.nan)
    if rz > 0 and curvature > 0:
        length = rz / curvature
        if np.isfinite(length):
            return length
    return np.float32(0)


@inlined
def _step(y, r, p, Ap, inverse, rz):
    """Go to the minimum along p, and choose the next direction.

    Returned are by how much the minimized function fell, and the new ``r·M⁻¹r``.
    """
    k = len(y)
    curvature = np.float32(0)
    for i in range(k):
        curvature += p[i] * Ap[i]
    length = _length(rz, curvature)
    if length == 0:
        return 0.0, rz
    renewed = np.float32(0)
    for i in range(k):
        y[i] += length * p[i]
        r[i] -= length * Ap[i]
        renewed += r[i] * inverse[i] * r[i]
    turn = renewed / rz
    for i in range(k):
        p[i] = r[i] * inverse[i] + turn * p[i]
    return np.float64(length) * rz, renewed


@inlined
def _last_step(y, p, shared, rz, squares):
    """Go to the minimum along p, and return by how much the minimized function fell."""
    curvature = squares
    for i in range(len(y)):
        curvature += shared[i] * p[i] * p[i]
    length = _length(rz, curvature)
    if length == 0:
        return 0.0
    for i in range(len(y)):
        y[i] += length * p[i]
    return np.float64(length) * rz
