"""Draws in place of solutions: each row's vector from its normal distribution, given the others.

For a row with the entries e, each a vector x_e of the standing side and a target t_e, with the
unit of variance that of the noise,

    y ~ N(A⁻¹b, A⁻¹),   A = P + ridge·I + Σ_e x_e x_eᵀ,   b = P m + Σ_e t_e x_e,

where N(m, P⁻¹) is the prior. With A = UᵀU a draw is ``U⁻¹(U⁻ᵀ b + z)`` for standard normal z; with
z = 0 it is the mean. Salakhutdinov, Mnih, "Bayesian Probabilistic Matrix Factorization using Markov
Chain Monte Carlo" (2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import frozen
from recommender.compiling import kernel
from recommender.solvers.cholesky import CHUNK, add_chunk, combine, factorize, next_chunk
from recommender.solvers.entries import AHEAD, count_up, fill_up
from recommender.solvers.threads import run_shares
from recommender.solvers.vectors import (
    GROUP,
    LANES,
    backward_block,
    dots,
    forward_block,
    gather,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Rows, SparseRows


@dataclass(frozen=True, eq=False)
class Linked:
    """One orientation of the ratings, with a target of its own for each.

    Attributes
    ----------
    matrix
        (n, m) sparse; its values are not looked at.
    targets
        (n_entries,) float32: what the products should be, before baselines.
    shares
        Which rows each thread takes.
    """

    matrix: SparseRows
    targets: NDArray[np.float32]
    shares: list[Rows]


def draw(
    linked: Linked,
    vectors: NDArray[np.float32],
    baselines: NDArray[np.float32],
    precision: NDArray[np.float32],
    ridge: NDArray[np.float32],
    noise: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Draw each row.

    Parameters
    ----------
    linked
        Which x a row has, and its targets.
    vectors
        (m, k) float32: all x; k is a multiple of ``LANES``.
    baselines
        (m,) float32: what is taken off the targets of each column.
    precision
        (k, k) float32: P in units of the noise's precision.
    ridge
        (n,) float32: what is added to the diagonal of each row's A.
    noise
        (n, k) float32: z; zeros for means.
    out
        (n, k) float32: ``P m`` of each row; overwritten with the draws.
    """
    matrix = linked.matrix
    arrays = (
        matrix.indptr, matrix.indices, linked.targets, vectors, baselines, precision, ridge, noise,
    )  # fmt: skip
    given = tuple(frozen(array) for array in arrays)
    run_shares(lambda rows: _draw_share(frozen(rows), *given, out), linked.shares)


@kernel
def _draw_share(
    rows, indptr, indices, targets, vectors, baselines, precision, ridge, noise, out
):  # fmt: skip
    k = vectors.shape[1]
    A, T = np.empty((k, k), np.float32), np.empty((CHUNK, k), np.float32)
    each, chosen = np.empty(CHUNK, np.int32), np.empty(CHUNK + AHEAD, np.int32)
    scale, target = np.ones(CHUNK, np.float32), np.empty(CHUNK, np.float32)
    count_up(each)
    for turn in range(len(rows)):
        row, following = rows[turn], rows[min(turn + 1, len(rows) - 1)]
        begin, end, y = indptr[row], indptr[row + 1], out[row]
        for i in range(k):
            for j in range(k):
                A[i, j] = precision[i, j]
            A[i, i] += ridge[row]
        for at in range(begin, end, CHUNK):
            n = min(CHUNK, end - at)
            for m in range(n):
                chosen[m] = indices[at + m]
                scale[m], target[m] = 1, targets[at + m] - baselines[chosen[m]]
            whole = fill_up(n, chosen, scale, target)
            for e in range(0, whole, GROUP):
                gather(vectors, chosen, e, e + AHEAD, 0, k, scale, T, e)
            ahead, stop = next_chunk(indptr, following, at + CHUNK, end, CHUNK)
            add_chunk(A, T, whole, vectors, indices, ahead, stop)
            combine(T, each, whole, target, y)
        factorize(A, 0, k, np.float32(0))
        for i in range(0, k, LANES):
            forward_block(A, i, k, y)
        for i in range(k):
            y[i] += noise[row, i]
        for i in range(k - LANES, -1, -LANES):
            backward_block(A, i, k, y)


def residuals(
    linked: Linked,
    vectors: NDArray[np.float32],
    baselines: NDArray[np.float32],
    solved: NDArray[np.float32],
) -> NDArray[np.float32]:
    """(n_entries,) float32: what of each target the products leave."""
    out = np.empty(len(linked.targets), np.float32)
    matrix = linked.matrix
    arrays = (matrix.indptr, matrix.indices, linked.targets, vectors, baselines, solved)
    given = tuple(frozen(array) for array in arrays)
    run_shares(lambda rows: _residuals_share(frozen(rows), *given, out), linked.shares)
    return out


@kernel
def _residuals_share(rows, indptr, indices, targets, vectors, baselines, solved, out):
    k = vectors.shape[1]
    chosen, score = np.empty(CHUNK + AHEAD, np.int32), np.empty(CHUNK, np.float32)
    scale, target = np.empty(CHUNK, np.float32), np.empty(CHUNK, np.float32)
    for row in rows:
        for at in range(indptr[row], indptr[row + 1], CHUNK):
            n = min(CHUNK, indptr[row + 1] - at)
            for m in range(n):
                chosen[m] = indices[at + m]
                target[m] = targets[at + m] - baselines[chosen[m]]
            whole = fill_up(n, chosen, scale, target)
            for e in range(0, whole, GROUP):
                dots(vectors, chosen, e, 0, k, solved[row], score)
            for m in range(n):
                out[at + m] = target[m] - score[m]
