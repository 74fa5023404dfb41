"""How often what is relevant stands above what is not; each first line names the denominator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.errors import InvalidInputError
from recommender.evaluation.checking import as_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray


def auc(
    sums: NDArray[np.float64], n_relevant: NDArray[np.int64], n_candidates: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Pairs in the right order over all pairs of a relevant and another candidate.

    That is the area under the curve of true against false positives: over the whole ranking, not
    the first k places.

    Parameters
    ----------
    sums
        (n_users,) the ranks of each user's relevant items added up, from :func:`rank_sums`: 1 is
        the best rank, and candidates of equal score share the mean of theirs. So a pair of equal
        scores counts half.
    n_relevant
        (n_users,) whole numbers of at least 1.
    n_candidates
        (n_users,) whole numbers: how many items were ranked, the relevant ones among them; more
        than are relevant.

    Returns
    -------
    (n_users,) float64, 0 … 1; by chance ½.

    Raises
    ------
    InvalidInputError
        When shapes or types are others; when all candidates are relevant, so that there is no
        pair; when so many ranks cannot have such a sum.

    References
    ----------
    Mann and Whitney 1947.

    Examples
    --------
    The relevant items came 1st and 3rd of four; of four pairs one is in the wrong order.

    >>> auc(np.array([4.0]), np.array([2]), np.array([4]))
    array([0.75])
    """
    n = as_counts("n_relevant", n_relevant, len(sums))
    others = as_counts("n_candidates", n_candidates, len(sums)) - n
    if (others < 1).any():
        user = int(np.argmax(others < 1))
        raise InvalidInputError(
            f"n_candidates[{user}] is {n_candidates[user]}, of which {n[user]} are relevant: "
            "an AUC compares them with others, and there must be at least one"
        )
    too_far_down = np.asarray(sums, np.float64) - n * (n + 1) / 2  # pairs in the wrong order
    wrong = ~((too_far_down >= 0) & (too_far_down <= n * others))
    if wrong.any():
        user = int(np.argmax(wrong))
        raise InvalidInputError(
            f"sums[{user}] is {sums[user]}; {n[user]} ranks of {n[user] + others[user]} add up to "
            f"{n[user] * (n[user] + 1) // 2} at least, with the best as rank 1, and to "
            f"{n[user] * (n[user] + 1) // 2 + n[user] * others[user]} at most"
        )
    return 1 - too_far_down / (n * others)


def rank_sums(
    scores: NDArray[np.float32], relevant: NDArray[np.bool_], candidates: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Add up each user's ranks of the relevant items among the candidates, for :func:`auc`.

    Parameters
    ----------
    scores
        (n_users, n_items), larger is better; not NaN where an item is a candidate.
    relevant, candidates
        (n_users, n_items) bool; what is relevant is a candidate too.

    Returns
    -------
    (n_users,) float64; rank 1 is the best, and equal scores share the mean of their ranks.

    Raises
    ------
    InvalidInputError
        When shapes or types are others, a relevant item is no candidate, or a score is NaN.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1, 0.5, 0.5]])
    >>> rank_sums(scores, np.array([[True, False, True, False]]), np.ones((1, 4), bool))
    array([3.5])
    """
    for name, mask in (("relevant", relevant), ("candidates", candidates)):
        if mask.dtype != np.bool_ or mask.ndim != 2 or mask.shape != scores.shape:
            raise InvalidInputError(
                f"{name} must be booleans of the shape of scores, (n_users, n_items) = "
                f"{scores.shape}; found {mask.dtype} of the shape {mask.shape}"
            )
    sums = np.zeros(len(scores))
    for user, (row, mine, ranked) in enumerate(zip(scores, relevant, candidates, strict=True)):
        if (mine & ~ranked).any():
            item = int(np.argmax(mine & ~ranked))
            raise InvalidInputError(f"item {item} is relevant to user {user} but no candidate")
        ascending = np.sort(row[ranked])
        if len(ascending) and np.isnan(ascending[-1]):  # NaN is sorted to the end
            raise InvalidInputError(f"user {user} has a score that is NaN")
        below = np.searchsorted(ascending, row[mine], "left")
        up_to = np.searchsorted(ascending, row[mine], "right")
        # Of n candidates n - up_to are better, and up_to - below share the ranks that follow.
        sums[user] = (len(ascending) + 0.5 - (below + up_to) / 2).sum()
    return sums
