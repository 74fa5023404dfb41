"""Which rated films made this score; the parts sum to it.

A user's vector is linear in his targets: y = A⁻¹ Σ_j t_j x_j, so the score of an item q splits
into one part a rated item, ``qᵀ A⁻¹ x_j t_j`` (Hu, Koren, Volinsky 2008, section 5). This is no
approximation: nothing is left over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Explanation:
    """What made one score.

    Attributes
    ----------
    item_ids
        (n,) the rated items, strongest contribution first.
    contributions
        (n,) float64: what each added, or took away.
    base
        What the score would be without any rating: zero for a ranking model, mean plus the
        item's bias for one that predicts stars.
    score
        ``base + contributions.sum()``.
    """

    item_ids: NDArray[Any]
    contributions: NDArray[np.float64]
    base: float
    score: float


def contributions(
    rated: NDArray[np.float32],
    weights: NDArray[np.float32],
    targets: NDArray[np.float32],
    gram: NDArray[np.float32],
    ridge: float,
    asked: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Split scores into what each rated item contributes.

    Parameters
    ----------
    rated
        (n, k) the vectors x_j of the rated items.
    weights, targets, gram, ridge
        As in :func:`recommender.fold_in.fold_in`.
    asked
        (m, k) the vectors q of the items whose scores are asked about.

    Returns
    -------
    (m, n) float64: row i sums to the score of asked item i.
    """
    if not len(rated):
        return np.zeros((len(asked), 0))
    x = rated.astype(np.float64)
    A = gram.astype(np.float64) + (x.T * weights) @ x
    A[np.diag_indices_from(A)] += ridge
    try:
        np.linalg.cholesky(A)
        influence = np.linalg.solve(A, asked.T.astype(np.float64))
    except np.linalg.LinAlgError:  # without regularization, fewer ratings than factors
        influence = np.linalg.lstsq(A, asked.T.astype(np.float64), rcond=None)[0]
    parts: NDArray[np.float64] = (influence.T @ x.T) * targets
    return parts
