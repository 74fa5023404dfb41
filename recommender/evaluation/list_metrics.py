"""What lists are like, whoever likes them; each first line names the denominator.

``lists`` is (n_users, k) whole numbers, best first: the row of the item at each place of each
user's list, -1 where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import ItemFactors

_BLOCK = 4096
"""Users at a time where each needs a vector."""


def coverage(lists: NDArray[np.integer[Any]], n_items: int) -> float:
    """Items on at least one list over n_items, all that there are.

    Parameters
    ----------
    lists
        (n_users, k) item rows, -1 where there is none.
    n_items
        How many items could be on a list.

    Returns
    -------
    0 … 1. It rises with the number of users: compare models on the same ones.

    Raises
    ------
    InvalidInputError
        When ``lists`` has another shape or type, or an item that there is not.

    Examples
    --------
    >>> coverage(np.array([[0, 1], [0, -1]]), n_items=4)
    0.5
    """
    return float((_times_shown(lists, n_items) > 0).sum() / n_items)


def gini(lists: NDArray[np.integer[Any]], n_items: int) -> float:
    """Gaps between all pairs of items in times shown, over n_items times all times shown.

    0 when each item is shown as often as any other; 1 - 1/n_items when one alone is shown.

    Parameters
    ----------
    lists
        (n_users, k) item rows, -1 where there is none; at least one item.
    n_items
        How many items could be on a list; those on none count as shown 0 times.

    Returns
    -------
    0 … 1 - 1/n_items: Σ_{i<j} |x_i - x_j| / (n_items · Σ x).

    Raises
    ------
    InvalidInputError
        When ``lists`` has another shape or type, an item that there is not, or no item.

    Examples
    --------
    >>> gini(np.array([[0], [1], [2], [3]]), n_items=4), gini(np.array([[2], [2]]), n_items=4)
    (0.0, 0.75)
    """
    shown = _times_shown(lists, n_items)
    if not shown.any():
        raise InvalidInputError("no list has an item; a Gini coefficient needs at least one")
    return gini_of(shown)


def gini_of(shown: NDArray[np.int64]) -> float:
    """Return :func:`gini` from counts, for whoever does not keep the lists of a million users.

    Parameters
    ----------
    shown
        (n_items,) int64: how often each item was shown. Where none was, none was shown more than
        another: 0.
    """
    n_items, total = len(shown), int(shown.sum())
    if total == 0:
        return 0.0
    # The i-th smallest is larger than i others and smaller than n - 1 - i: so often it is added
    # and subtracted in the sum of all gaps.
    times = 2 * np.arange(n_items) - (n_items - 1)
    return float((times * np.sort(shown)).sum() / (n_items * total))


def novelty(
    lists: NDArray[np.integer[Any]], counts: NDArray[np.integer[Any]], n_users: int
) -> NDArray[np.float64]:
    """Sum of -log2 of the share of users who rated each item, over the items on the list.

    This is the mean self-information: 0 bits for what everyone has rated, 10 for what one in a
    thousand has.

    Parameters
    ----------
    lists
        (B, k) item rows, -1 where there is none; each list with at least one item.
    counts
        (n_items,) how many users rated each item in the training. An item that nobody rated
        counts as if one user had, so that it does not count infinitely.
    n_users
        How many users the training has.

    Returns
    -------
    (B,) float64 bits, 0 … log2(n_users).

    Raises
    ------
    InvalidInputError
        When shapes or types are others, a list is empty or has an item that there is not, or
        more users rated an item than there are.

    References
    ----------
    Zhou et al. 2010, "Solving the apparent diversity-accuracy dilemma of recommender systems".

    Examples
    --------
    >>> novelty(np.array([[0, 1], [1, -1]]), np.array([8, 2]), n_users=8)
    array([1., 2.])
    """
    if counts.ndim != 1 or len(counts) == 0 or counts.min() < 0 or counts.max() > n_users:
        raise InvalidInputError(
            f"counts must be one number an item, from 0 to n_users = {n_users}; found "
            f"{counts.dtype} of the shape {counts.shape}"
            + (f" from {counts.min()} to {counts.max()}" if counts.size else "")
        )
    there = _there(lists, len(counts), "counts")
    n_there = _not_empty(there)
    bits = np.log2(n_users / np.maximum(counts, 1))
    total = np.zeros(len(lists))
    for items, present in zip(lists.T, there.T, strict=True):
        np.add(total, bits[items], out=total, where=present)
    return total / n_there


def intra_list_diversity(
    lists: NDArray[np.integer[Any]], vectors: ItemFactors
) -> NDArray[np.float64]:
    """Sum of 1 - cosine over pairs of items on the list, over the number of pairs.

    Parameters
    ----------
    lists
        (B, k) item rows, -1 where there is none; each list with at least one item.
    vectors
        (n_items, d) finite numbers: factors, genres, whatever says what items are like. A vector
        of zeros is similar to none: its cosine is 0.

    Returns
    -------
    (B,) float64, 0 … 2: 0 when all vectors point the same way. A list of one item has no pair,
    and no diversity: 0.

    Raises
    ------
    InvalidInputError
        When shapes or types are others, a list is empty or has an item that there is not, or a
        vector is not finite.

    References
    ----------
    Ziegler, McNee, Konstan and Lausen 2005, "Improving recommendation lists through topic
    diversification".

    Examples
    --------
    >>> vectors = np.array([[1, 0], [2, 0], [0, 3]], dtype=np.float32)
    >>> intra_list_diversity(np.array([[0, 1, -1], [0, 2, -1], [0, 1, 2]]), vectors)
    array([0.        , 1.        , 0.66666667])
    """
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise InvalidInputError(
            "vectors must be finite numbers of the shape (n_items, d); "
            f"found {vectors.dtype} of the shape {vectors.shape}"
        )
    there = _there(lists, len(vectors), "vectors")
    n_there = _not_empty(there)
    directions, squares = _directions(vectors)
    diversity = np.zeros(len(lists))
    for begin in range(0, len(lists), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        total = np.zeros((len(lists[block]), vectors.shape[1]))
        own = np.zeros(len(total))
        for items, present in zip(lists[block].T, there[block].T, strict=True):
            total += directions[items] * present[:, None]
            own += squares[items] * present
        # |Σ x|² = Σ |x|² + 2 Σ cosines: one sum of vectors instead of all pairs.
        cosines = (np.einsum("ud,ud->u", total, total) - own) / 2
        pairs = n_there[block] * (n_there[block] - 1) / 2
        np.divide(pairs - cosines, pairs, out=diversity[block], where=pairs > 0)
    return np.clip(diversity, 0, 2)  # rounding may leave -1e-16


def _directions(vectors: ItemFactors) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scale each vector to length 1, and return the squares: about 1, or 0 where all is zero."""
    wide = vectors.astype(np.float64)  # where squares of float32 neither overflow nor vanish
    lengths = np.linalg.norm(wide, axis=1)
    np.divide(wide, lengths[:, None], out=wide, where=lengths[:, None] > 0)
    return wide, np.square(wide).sum(axis=1)


def _times_shown(lists: NDArray[np.integer[Any]], n_items: int) -> NDArray[np.int64]:
    if n_items < 1:
        raise InvalidInputError(f"n_items must be at least 1; found {n_items}")
    return np.bincount(lists[_there(lists, n_items, "n_items")], minlength=n_items)


def _there(lists: NDArray[np.integer[Any]], n_items: int, whose: str) -> NDArray[np.bool_]:
    """Check the lists, and say where they have an item."""
    if lists.dtype.kind not in "iu" or lists.ndim != 2:
        raise InvalidInputError(
            "lists must be item rows of the shape (n_users, k); "
            f"found {lists.dtype} of the shape {lists.shape}"
        )
    if lists.size and (lists.min() < -1 or lists.max() >= n_items):
        wrong = int(lists.min()) if lists.min() < -1 else int(lists.max())
        raise InvalidInputError(
            f"lists has the item {wrong}; by {whose}, items are 0 to {n_items - 1}, "
            "and -1 stands where there is none"
        )
    return lists >= 0


def _not_empty(there: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many items each list has, at least 1."""
    counts: NDArray[np.int64] = there.sum(axis=1)
    if not counts.all():
        raise InvalidInputError(
            f"lists[{int(np.argmin(counts))}] has no item, and a mean needs at least one: "
            "leave out users without a list"
        )
    return counts
