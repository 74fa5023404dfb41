"""How good ranked lists are, many users at a time; each first line names the denominator.

``hits`` is (n_users, k) bool, best first: whether the item at that place of the user's list is
relevant. Its width is k: who got fewer than k items has ``False`` at the places that do not
exist. ``n_relevant`` is (n_users,) whole numbers: how many items are relevant to each user,
whether they are on the list or not.

Each metric returns (n_users,) float64 from 0 to 1; the figure of a model is their mean, whose
denominator is the number of users. A user to whom nothing is relevant has no such figure: leave
him out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.errors import InvalidInputError
from recommender.evaluation.checking import as_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray


def ndcg(hits: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> NDArray[np.float64]:
    """Discounted gain over that of the best list, which has min(k, n_relevant) hits on top.

    Parameters
    ----------
    hits
        (n_users, k) bool, best first. The gain of a hit at place p (from 1) is 1 / log2(p + 1).
    n_relevant
        (n_users,) whole numbers of at least 1.

    Returns
    -------
    (n_users,) float64, 0 … 1.

    Raises
    ------
    InvalidInputError
        When shapes or types are others, or a user has more hits than relevant items.

    References
    ----------
    Järvelin and Kekäläinen 2002, with gains of 0 and 1.

    Examples
    --------
    >>> ndcg(np.array([[True, False, True], [True, True, False]]), np.array([2, 5]))
    array([0.91972079, 0.76536064])
    """
    relevant = _relevant(hits, n_relevant)
    discounts = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    gains = np.zeros(len(hits))
    # Place by place, as the sum of the best list is made: so a best list scores 1, not nearly 1,
    # and none more.
    for hit, discount in zip(hits.T, discounts, strict=True):
        np.add(gains, discount, out=gains, where=hit)
    gains /= np.cumsum(discounts)[np.minimum(relevant, len(discounts)) - 1]
    return gains


def recall(hits: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> NDArray[np.float64]:
    """Hits over n_relevant: a list of k cannot score 1 when more than k items are relevant.

    Parameters, result and errors are those of :func:`ndcg`.

    Examples
    --------
    >>> recall(np.array([[True, False, True]]), np.array([4]))
    array([0.5])
    """
    relevant = _relevant(hits, n_relevant)
    found: NDArray[np.float64] = hits.sum(axis=1) / relevant
    return found


def capped_recall(hits: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> NDArray[np.float64]:
    """Hits over min(k, n_relevant), so that a list full of hits scores 1.

    Parameters, result and errors are those of :func:`ndcg`.

    References
    ----------
    The recall of Liang, Krishnan, Hoffman and Jebara 2018, section 4.2.

    Examples
    --------
    >>> capped_recall(np.array([[True, False, True]]), np.array([4]))
    array([0.66666667])
    """
    relevant = _relevant(hits, n_relevant)
    found: NDArray[np.float64] = hits.sum(axis=1) / np.minimum(relevant, hits.shape[1])
    return found


def precision(hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Hits over k, whether or not k items were there to be listed.

    Parameters
    ----------
    hits
        (n_users, k) bool.

    Returns
    -------
    (n_users,) float64, 0 … 1.

    Raises
    ------
    InvalidInputError
        When shape or type is another.

    Examples
    --------
    >>> precision(np.array([[True, False, True, False]]))
    array([0.5])
    """
    _check_hits(hits)
    found: NDArray[np.float64] = hits.sum(axis=1) / hits.shape[1]
    return found


def hit_rate(hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """1 when any place is a hit, else 0: nothing is divided before the mean over users.

    Parameters, result and errors are those of :func:`precision`.

    Examples
    --------
    >>> hit_rate(np.array([[False, True], [False, False]]))
    array([1., 0.])
    """
    _check_hits(hits)
    return np.where(hits.any(axis=1), 1.0, 0.0)


def average_precision(
    hits: NDArray[np.bool_], n_relevant: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sum of the precisions at each hit over min(k, n_relevant); its mean is called MAP.

    Parameters, result and errors are those of :func:`ndcg`. The precision at place p is that of
    the first p places.

    Examples
    --------
    >>> average_precision(np.array([[True, False, True]]), np.array([2]))
    array([0.83333333])
    """
    relevant = _relevant(hits, n_relevant)
    found, total = np.zeros(len(hits)), np.zeros(len(hits))
    for place, hit in enumerate(hits.T, start=1):
        found += hit
        np.add(total, found / place, out=total, where=hit)
    total /= np.minimum(relevant, hits.shape[1])
    return total


def reciprocal_rank(hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """1 over the place of the first hit, counted from 1; 0 without a hit. Its mean is called MRR.

    Parameters, result and errors are those of :func:`precision`.

    Examples
    --------
    >>> reciprocal_rank(np.array([[False, True, True], [False, False, False]]))
    array([0.5, 0. ])
    """
    _check_hits(hits)
    found: NDArray[np.float64] = hits.any(axis=1) / (hits.argmax(axis=1) + 1)
    return found


def _check_hits(hits: NDArray[np.bool_]) -> None:
    if hits.dtype != np.bool_ or hits.ndim != 2 or hits.shape[1] == 0:
        raise InvalidInputError(
            "hits must be booleans of the shape (n_users, k) with k of at least 1; "
            f"found {hits.dtype} of the shape {hits.shape}"
        )


def _relevant(hits: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> NDArray[np.int64]:
    """Check both, and return the second."""
    _check_hits(hits)
    counts = as_counts("n_relevant", n_relevant, len(hits))
    found = hits.sum(axis=1)
    if (found > counts).any():
        user = int(np.argmax(found > counts))
        raise InvalidInputError(
            f"n_relevant[{user}] is {counts[user]}, and hits[{user}] has {found[user]}: "
            "n_relevant counts all relevant items, and an item stands on a list once"
        )
    return counts
