"""How good a ranked list is, one user at a time; each metric's first line names its denominator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def ndcg(hits: NDArray[np.bool_], n_relevant: int, k: int) -> float:
    """Discounted gain of the first k over that of the best list: min(k, n_relevant) hits on top.

    Parameters
    ----------
    hits
        (≥ 0,) bool, best first: whether the item at that place is relevant.
    n_relevant
        How many relevant items there are; at least 1.
    k
        How many places count.

    Returns
    -------
    0 … 1; the gain at place p (from 1) is 1 / log2(p + 1).

    Examples
    --------
    >>> ndcg(np.array([True, False, True]), n_relevant=2, k=3)
    0.919720...
    """
    discounts = 1 / np.log2(np.arange(2, k + 2))
    found = hits[:k]
    return float(discounts[: len(found)][found].sum() / discounts[: min(k, n_relevant)].sum())


def recall(hits: NDArray[np.bool_], n_relevant: int, k: int) -> float:
    """Hits among the first k over min(k, n_relevant), so that a perfect list scores 1.

    Examples
    --------
    >>> recall(np.array([True, False, True]), n_relevant=4, k=3)
    0.666666...
    """
    return float(hits[:k].sum() / min(k, n_relevant))


def hit_rate(hits: NDArray[np.bool_], k: int) -> float:
    """1 when any of the first k is relevant, else 0; the mean over users divides by users."""
    return float(hits[:k].any())


def rmse(predicted: NDArray[np.float32], actual: NDArray[np.float32]) -> float:
    """Root of the mean squared error over the number of ratings.

    Examples
    --------
    >>> rmse(np.array([3.0, 4.0]), np.array([4.0, 4.0]))
    0.707106...
    """
    gap = predicted.astype(np.float64) - actual.astype(np.float64)
    return float(np.sqrt(np.mean(np.square(gap))))
