"""One list for several people: the average, the least misery, or a list that is fair as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from recommender.arrays import as_count
from recommender.errors import InvalidInputError, InvalidOptionError
from recommender.reranking.checking import as_finite, first_of_the_best

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from recommender.arrays import Rows, Scores

Strategy = Literal["average", "least_misery", "fair"]

STRATEGIES: tuple[Strategy, ...] = ("average", "least_misery", "fair")
"""How a group may be served: the first two by :func:`combine`, the third by :func:`fair`."""

RELEVANT = 20
"""How many of a member's best movies may be what he came for, as in the paper's experiments."""


def combine(scores: ArrayLike, strategy: Literal["average", "least_misery"]) -> Scores:
    """Make one score for a group from those of its members (Masthoff 2011, section 21.3).

    Parameters
    ----------
    scores
        (members, m) float32: what each member's score for each movie is.
    strategy
        ``"average"``: the mean. ``"least_misery"``: the smallest, so that nobody suffers.

    Returns
    -------
    (m,) float32.

    Raises
    ------
    InvalidInputError
        When there is no member, or a score is not finite.
    InvalidOptionError
        When the strategy is neither.

    Examples
    --------
    >>> combine([[4.0, 3.0], [0.0, 3.0]], "average").tolist()
    [2.0, 3.0]
    >>> combine([[4.0, 3.0], [0.0, 3.0]], "least_misery").tolist()
    [0.0, 3.0]
    """
    by_member = _as_group(scores)
    if strategy == "average":
        together: NDArray[np.float64] = by_member.mean(axis=0)
    elif strategy == "least_misery":
        together = by_member.min(axis=0)
    else:
        raise InvalidOptionError(
            f'strategy must be "average" or "least_misery"; found {strategy!r}. '
            "A fair list is no order of scores: fair() chooses it as a whole"
        )
    return together.astype(np.float32)


def fair(scores: ArrayLike, n: int, *, relevant: int = RELEVANT) -> Rows:
    """Choose n movies of a pool so that soon everyone has found something.

    GFAR (Kaya, Bridge and Tintarev, RecSys 2020): the movie that comes next is the one for which
    it is most likely, summed over members, to be the first relevant one that they meet::

        Σ_u p(u, i) · Π_{j chosen} (1 - p(u, j))

    and p(u, i), that movie i is relevant to member u, is i's share of the Borda points which u
    gives to the best of the pool: as many as other movies of those stand below it. So every
    beginning of the list is balanced too, and a shorter list begins a longer one.

    Parameters
    ----------
    scores
        (members, m) float32: each member's scores of the movies in a pool. Only their order counts.
    n
        How many, at least 1; fewer come back when the pool has fewer.
    relevant
        How many of each member's best have points. With points for all of a large pool, having
        found one would hardly count, and this would be the Borda count alone.

    Returns
    -------
    (≤ n,) int64 places in the pool, in the order chosen. Of equal movies the one with the higher
    mean score comes first, then that with the smaller place.

    Raises
    ------
    InvalidInputError
        When there is no member, or a score is not finite.

    Examples
    --------
    >>> fair([[5.0, 4.0, 0.0], [5.0, 4.0, 0.0], [0.0, 1.0, 3.0]], 2)
    array([0, 2])
    """
    by_member = _as_group(scores)
    m = by_member.shape[1]
    chosen: Rows = np.arange(min(as_count(n), m))
    # In this order the first of equals is the one to take.
    order = np.lexsort((np.arange(m), -by_member.mean(axis=0)))
    p = _relevance(by_member[:, order], as_count(relevant, "relevant"))
    unserved = np.ones(len(p))  # Π_{j chosen} (1 - p(u, j))
    barred = np.zeros(m)
    for step in range(len(chosen)):
        place = first_of_the_best(unserved @ p + barred)
        chosen[step] = order[place]
        barred[place] = -np.inf
        unserved *= 1 - p[:, place]
    return chosen


def _as_group(scores: ArrayLike) -> NDArray[np.float64]:
    by_member = as_finite(scores, "scores", (None, None))
    if not len(by_member):
        raise InvalidInputError("a group has at least one member; found no row of scores")
    return by_member


def _relevance(by_member: NDArray[np.float64], relevant: int) -> NDArray[np.float64]:
    """(members, m): each row sums to 1; to 0 for whoever prefers none of so many."""
    p = np.empty(by_member.shape)
    for row, scores in zip(p, by_member, strict=True):
        ascending = np.sort(scores)
        below = np.searchsorted(ascending, scores, "left")
        up_to = np.searchsorted(ascending, scores, "right")
        rank = len(scores) - (below + up_to - 1) / 2  # 1 for the best; equals share the mean rank
        points = np.maximum(min(relevant, len(scores)) - rank, 0)
        row[:] = points / (points.sum() or 1.0)
    return p
