"""A vector for someone, or a film, that training never saw.

Folding in solves the training objective for one row while all other rows stand still. It is
the half-step of training itself, on one row: whoever was in the training gets the very vector
that training gave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recommender.arrays import index_type
from recommender.solvers import cholesky

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recommender.arrays import Codes, Indices, Rows, Vector
    from recommender.solvers.equations import Standing


def fold_in(
    rated: Rows | NDArray[np.int32],
    codes: Codes,
    weights: NDArray[np.float32],
    goals: NDArray[np.float32],
    standing: Standing,
    ridge: float,
    k: int,
) -> Vector:
    """Minimize ``Σ_j w_j (x_j·y + baseline_j - g_j)² + yᵀ gram y + ridge ‖y‖²``.

    Parameters
    ----------
    rated
        (n,) which rows of the standing side were rated.
    codes
        (n,) which of the levels each rating is.
    weights, goals
        (n_levels,) w and g of each level.
    standing
        The side that stands still, with what its biases say and the part that every row shares.
    ridge
        Regularization of a row with n ratings.
    k
        How many of its coordinates mean something; those beyond fill up a vector.

    Returns
    -------
    (k,) float32; zero when nothing was rated.
    """
    columns: Indices = rated.astype(index_type(len(standing.vectors)))
    folded: Vector = cholesky.solve_one(columns, codes, weights, goals, ridge, standing)[:k]
    return folded
