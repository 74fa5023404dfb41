"""A vector for someone, or a film, that training never saw.

Folding in solves the training objective for one row while all other rows stand still. It is
the half-step of training itself, on one row: whoever was in the training gets the very vector
that training gave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import SparseRows
from recommender.solvers import cholesky
from recommender.solvers.equations import Equations, Standing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Codes, Rows, Vector


def fold_in(
    rated: Rows | NDArray[np.int32],
    codes: Codes,
    weights: NDArray[np.float32],
    goals: NDArray[np.float32],
    baselines: NDArray[np.float32],
    other: NDArray[np.float32],
    gram: NDArray[np.float32],
    ridge: float,
) -> Vector:
    """Minimize ``Σ_j w_j (x_j·y + baseline_j - g_j)² + yᵀ gram y + ridge ‖y‖²``.

    Parameters
    ----------
    rated
        (n,) which rows of ``other`` were rated.
    codes
        (n,) which of the levels each rating is.
    weights, goals
        (n_levels,) w and g of each level.
    baselines
        (n,) float32: what biases already say; or empty.
    other
        (m, k) the side that stands still.
    gram
        (k, k) the part that every row shares.
    ridge
        Regularization of a row with n ratings.

    Returns
    -------
    (k,) float32; zero when nothing was rated.
    """
    n, k = len(rated), other.shape[1]
    row = SparseRows(np.array([0, n], np.int64), np.arange(n, dtype=np.int32), codes, goals, n)
    standing = Standing.for_one_row(other[rated], gram, baselines)
    vector = np.empty((1, len(standing.gram)), dtype=np.float32)
    held = np.array([ridge], np.float32)
    only_row = np.zeros(1, dtype=np.int64)
    cholesky.solve(Equations(row, weights, goals, held, [only_row]), standing, vector)
    folded: Vector = vector[0, :k].copy()
    return folded
