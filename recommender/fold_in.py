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

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Rows, Vector


def fold_in(
    rated: Rows | NDArray[np.int32],
    weights: NDArray[np.float32],
    targets: NDArray[np.float32],
    other: NDArray[np.float32],
    gram: NDArray[np.float32],
    ridge: float,
) -> Vector:
    """Solve ``(gram + Σ_j w_j x_j x_jᵀ + ridge·I) y = Σ_j t_j x_j``.

    Parameters
    ----------
    rated
        (n,) which rows of ``other`` were rated.
    weights, targets
        (n,) w_j and t_j as in training.
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
    n = len(rated)
    matrix = SparseRows(
        np.array([0, n], dtype=np.int64),
        np.asarray(rated, dtype=np.int32),
        weights,
        len(other),
    )
    vector = np.empty((1, other.shape[1]), dtype=np.float32)
    only_row = np.zeros(1, dtype=np.int64)
    standing = cholesky.Standing.for_one_row(other, gram)
    cholesky.solve_rows(
        matrix, weights, targets, standing, np.array([ridge], np.float32), vector, [only_row]
    )
    folded: Vector = vector[0]
    return folded
