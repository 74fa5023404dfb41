"""The best n of scores that are all there: what a full stable sort would give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from recommender.arrays import Mask, Rows, Scores


def top_k(scores: Scores, n: int, allowed: Mask | None = None) -> Rows:
    """Return the rows of the n largest scores, best first.

    Parameters
    ----------
    scores
        (n_items,) finite numbers.
    n
        How many; fewer come back when fewer are allowed.
    allowed
        (n_items,) bool; ``None`` allows all.

    Returns
    -------
    (≤ n,) int64 rows. Of equal scores the smaller row comes first, and it alone comes when only
    one has a place: the answer is that of a full stable sort.

    Examples
    --------
    >>> import numpy as np
    >>> top_k(np.array([1, 3, 2, 3], dtype=np.float32), 2)
    array([1, 3])
    """
    if allowed is None:
        return _best(scores, n)
    candidates = np.flatnonzero(allowed)
    return candidates[_best(scores[candidates], n)]


def _best(scores: Scores, n: int) -> Rows:
    if n < len(scores):
        threshold = np.partition(scores, len(scores) - n)[len(scores) - n]
        above = np.flatnonzero(scores > threshold)
        tied = np.flatnonzero(scores == threshold)[: n - len(above)]
        chosen = np.concatenate((above, tied))
    else:
        chosen = np.arange(len(scores))
    best_first: Rows = chosen[np.lexsort((chosen, -scores[chosen]))]
    return best_first
