"""How far a plane can be trusted: its rankings beside the model's.

The share of variance is known in closed form (:attr:`Plane.share`). What a reader wants to know is
whether the movies that the plane shows as best are the model's best; that is counted on a sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import as_count
from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from recommender.arrays import Indices
    from recommender.projection.biplot import Plane

_BLOCK = 64  # users scored at a time
_ITEMS_RANKED = 2_000  # rank correlations need no more items than this


@dataclass(frozen=True)
class Fidelity:
    """How a plane's rankings agree with the model's, for items that a user has not seen.

    Attributes
    ----------
    share
        The share of variance kept, over all users and items.
    top_n
        How many best items were compared for each user: 10, or all items when there are fewer.
    top_agreement
        In [0, 1]: the average share of the plane's best ``top_n`` that are the model's as well.
        Items that tie with the model's last one count as its best.
    top_interval
        The 95 % confidence interval of ``top_agreement``; of no width when nobody was left out.
    rank_correlation
        The median over users of Spearman's correlation between the plane's and the model's scores
        of all items (of 2,000 drawn items when there are more); ``None`` when no user in the
        sample has two different scores.
    n_users, sampled
        How many users were compared, and whether these are a sample of all.
    """

    share: float
    top_n: int
    top_agreement: float
    top_interval: tuple[float, float]
    rank_correlation: float | None
    n_users: int
    sampled: bool


def measure_fidelity(
    plane: Plane,
    user_factors: ArrayLike,
    item_factors: ArrayLike,
    item_biases: ArrayLike | None = None,
    *,
    seen: tuple[NDArray[np.int64], Indices] | None = None,
    n: int = 10,
    max_users: int = 1_000,
    seed: int = 0,
) -> Fidelity:
    """Compare a plane's rankings with the model's on a seeded sample of users.

    Parameters
    ----------
    plane
        What :func:`~recommender.projection.biplot.biplot` or ``raw_axes`` made of these factors.
    user_factors, item_factors, item_biases
        (n_users, k), (n_items, k) and (n_items,) or ``None``: the model.
    seen
        ``(indptr, indices)`` by user, as in :class:`~recommender.data.ratings.Ratings`: items that
        no list of recommendations would show, which the best therefore leave out.
    n
        How many best items to compare.
    max_users
        The size of the sample, drawn without replacement; everyone when there are no more.
    seed
        Of the sample.

    Raises
    ------
    InvalidInputError
        When the plane does not belong to factors of this shape.

    Examples
    --------
    >>> from recommender.projection.biplot import raw_axes
    >>> users, items = [[1.0, 0.1], [-1.0, 0.0]], [[0.9, -0.2], [-1.0, -0.8], [1.0, -1.0]]
    >>> measure_fidelity(raw_axes(users, items), users, items, n=2).top_agreement
    1.0
    """
    P, Q = np.asarray(user_factors), np.asarray(item_factors)
    if len(P) != len(plane.users) or len(Q) != len(plane.items):
        raise InvalidInputError(
            f"the plane shows {len(plane.users)} users and {len(plane.items)} items, "
            f"the factors are {len(P)} and {len(Q)}"
        )
    top = min(as_count(n), len(Q))
    biases = np.zeros(len(Q)) if item_biases is None else np.asarray(item_biases, np.float64)
    random = np.random.default_rng(seed)
    size = min(as_count(max_users, "max_users"), len(P))
    chosen = np.sort(random.choice(len(P), size, replace=False))
    ranked = np.sort(random.choice(len(Q), min(_ITEMS_RANKED, len(Q)), replace=False))
    items, places = Q.astype(np.float64), plane.items.astype(np.float64)
    agreement, correlation = np.empty(size), np.empty(size)
    for start in range(0, size, _BLOCK):
        rows = chosen[start : start + _BLOCK]
        block = slice(start, start + len(rows))
        model = P[rows].astype(np.float64) @ items.T + biases
        shown = plane.users[rows].astype(np.float64) @ places.T
        allowed = np.ones(model.shape, dtype=np.bool_)
        if seen is not None:
            for row, user in enumerate(rows):
                allowed[row, seen[1][seen[0][user] : seen[0][user + 1]]] = False
        agreement[block] = top_agreement(shown, model, top, allowed)
        correlation[block] = rank_correlation(shown[:, ranked], model[:, ranked])
    mean = float(agreement.mean())
    # Drawn without replacement: the error vanishes as the sample becomes everyone.
    left_out = (len(P) - size) / max(1, len(P) - 1)
    spread = float(agreement.std(ddof=1)) if size > 1 else 0.0
    half = 1.96 * spread * float(np.sqrt(left_out / size))
    known = correlation[~np.isnan(correlation)]
    return Fidelity(
        share=plane.share,
        top_n=top,
        top_agreement=mean,
        top_interval=(max(0.0, mean - half), min(1.0, mean + half)),
        rank_correlation=float(np.median(known)) if len(known) else None,
        n_users=size,
        sampled=size < len(P),
    )


def top_agreement(
    shown: NDArray[np.float64],
    model: NDArray[np.float64],
    n: int,
    allowed: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return, for each row, the share of the n largest of ``shown`` among those of ``model``.

    All are (rows, items). What ties with the model's n-th (to 1e-6 of the row's range) counts,
    for no order of the two is wrong. Only what is ``allowed`` takes part; a row where no more
    than n are leaves nothing to disagree about.
    """
    rows, items = model.shape
    if n >= items:
        return np.ones(rows)
    slack = 1e-6 * np.ptp(model, axis=1)
    few = np.zeros(rows, dtype=np.bool_)
    if allowed is not None:
        few = allowed.sum(axis=1) <= n
        shown, model = (np.where(allowed, scores, -np.inf) for scores in (shown, model))
    best = np.argpartition(-shown, n - 1, axis=1)[:, :n]
    last = np.partition(model, items - n, axis=1)[:, items - n]
    found = np.take_along_axis(model, best, axis=1) >= (last - slack)[:, None]
    return np.asarray(np.where(few, 1.0, found.mean(axis=1)), dtype=np.float64)


def rank_correlation(shown: NDArray[np.float64], model: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Spearman's correlation of each row of two (rows, items) arrays; NaN for constants.

    Scores closer than 1e-6 of their row's range tie, as two items at one point must.
    """
    shown, model = (
        np.round(scores / (1e-6 * np.maximum(np.ptp(scores, axis=1), 1e-300)[:, None]))
        for scores in (shown, model)
    )
    answer = np.full(len(model), np.nan)
    for row, (a, b) in enumerate(zip(average_ranks(shown), average_ranks(model), strict=True)):
        a, b = a - a.mean(), b - b.mean()
        length = np.sqrt((a @ a) * (b @ b))
        if length > 0:
            answer[row] = a @ b / length
    return answer


def average_ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of each entry within its row, counted from 1; ties share their average."""
    order = np.argsort(scores, axis=1, kind="stable")
    ranks = np.empty(scores.shape)
    positions = np.arange(scores.shape[1], dtype=np.float64)
    for row, by_size in enumerate(order):
        falls = np.flatnonzero(np.diff(scores[row, by_size])) + 1
        starts = np.concatenate(([0], falls))
        ends = np.concatenate((falls, [len(by_size)]))
        middle = (positions[starts] + ends - 1) / 2 + 1
        ranks[row, by_size] = np.repeat(middle, ends - starts)
    return ranks
