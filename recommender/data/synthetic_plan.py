"""What is planted in a world before a rating is drawn: counts, tastes, weights, biases, times.

Each step has a random stream of its own, so that a change of one leaves the others as they were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.data.synthetic_picks import Plan, alias_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Tastes = NDArray[np.float32]

RANK = 12
"""How many factors a taste has."""

_DECAY = 0.8  # the variance of a factor, relative to the one before
_STRENGTH, _LIMIT = 1.5, 2.0
_SLOPE, _NOISE = 0.7, 0.74
_MEAN, _USER_SPREAD, _ITEM_SPREAD = 3.53, 0.38, 0.33
_FAME = 0.1  # stars for each e-fold of popularity: what many choose is liked more
_FEWEST = 20
_FIRST_SECOND, _LAST_SECOND = 1_104_537_600, 1_735_689_599  # 2005 to 2024
_SHORTEST_STAY, _LONGEST_STAY = 600, 5 * 365 * 86_400
_SWAPS = 30  # rounds; more change nothing that can be measured
_SAMPLE, _ROUNDS = 512, 15
_SAMPLED_PAIRS = 1 << 25  # of sampled users and items, at 20 bytes: fewer users for many items


def plan_world(n_users: int, n_items: int, n_ratings: int, seed: int) -> Plan:
    """Plant a world of a possible shape; see :mod:`recommender.data.synthetic`."""

    def stream(step: int) -> np.random.Generator:
        return np.random.default_rng([seed, step])

    activity = stream(0).permutation(activity_counts(n_users, n_items, n_ratings))
    raters = stream(1).permutation(popularity_curve(n_users, n_items, n_ratings))
    user_tastes, item_tastes = _tastes(stream(2), n_users), _tastes(stream(3), n_items)
    indptr = _ends(activity)
    owners, items = _first_raters(stream(4), indptr, user_tastes, item_tastes)
    by_owner = np.lexsort((items, owners))
    taken = np.bincount(owners, minlength=n_users)
    log_weights, mean_fit = _weights(activity - taken, raters - 1, user_tastes, item_tastes)
    thresholds, aliases = alias_table(np.exp(log_weights.astype(np.float64)))
    user_stars, item_stars = _biases(stream(5), n_users, raters)
    begins, spans = _stays(stream(6), n_users)
    return Plan(
        seed=np.random.SeedSequence([seed, 7]).generate_state(1, np.uint64)[0],
        indptr=indptr,
        first_indptr=_ends(taken),
        first_items=items[by_owner].astype(np.int32),
        user_tastes=user_tastes,
        item_tastes=item_tastes,
        log_weights=log_weights,
        thresholds=thresholds,
        aliases=aliases,
        strength=np.float32(_STRENGTH),
        limit=np.float32(_LIMIT),
        user_stars=(user_stars - _SLOPE * mean_fit).astype(np.float32),
        item_stars=item_stars,
        slope=np.float32(_SLOPE),
        noise=np.float32(_NOISE),
        begins=begins,
        spans=spans,
    )


def activity_counts(n_users: int, n_items: int, n_ratings: int) -> Integers:
    """Return how many ratings each user gives, ascending, (n_users,); they sum to n_ratings.

    Above the floor, the logarithm of a count is a cubic in the normal quantile z: a log-normal
    whose tail is a little bent. Fitted to ML-20M: quartiles 35, 68 and 155, at most 9,254, standard
    deviation 230. Nobody rates much more than two thirds of the items unless all must.
    """
    from scipy.special import ndtri  # takes a moment, and few processes plant a world

    mean = n_ratings / n_users
    floor = _FEWEST if mean >= _FEWEST else max(1, int(mean / 2))
    z = ndtri((np.arange(n_users) + 0.5) / n_users)
    curve = np.exp(1.604 * z - 0.1329 * z**2 + 0.00802 * z**3)
    most = int(np.ceil(max(0.65, (1 + mean / n_items) / 2) * n_items)) - floor
    total = n_ratings - n_users * floor
    stretch = _root(lambda s: np.minimum(most, np.exp(s) * curve).sum() - total, -40, 40)
    exact: Floats = np.minimum(most, np.exp(stretch) * curve)
    counts: Integers = np.floor(exact).astype(np.int64)
    # What rounding has lost goes to those who have lost most, and have room.
    while (lost := total - counts.sum()) > 0:
        neediest = np.argsort(np.where(counts < most, counts - exact, np.inf), kind="stable")
        room = int((counts < most).sum())
        counts[neediest[: min(lost, room)]] += 1
    return counts + floor


def popularity_curve(n_users: int, n_items: int, n_ratings: int) -> Floats:
    """Return how many raters each item should find, descending, (n_items,), at least 1 each.

    Above 1, the counts of ML-20M are ``c (r + q)^-s exp(-(r/R)^p)`` in the relative rank r: a head
    of Zipf and Mandelbrot, a tail that falls faster. Fitted to its quartiles 3, 18 and 205, its
    maximum 67,310 and its standard deviation 3,085. For other shapes it is raised to a power, which
    is settled by the sum and by the most popular item: it finds 48.6 % of the users (in the
    releases, 48 to 62 %). That is near to ml-latest-small, ml-1m and ml-10m too; for ml-25m the
    tail comes out too thin (a median of 2 raters instead of 6), for ml-100k too fat (34 for 27).
    """
    rank = (np.arange(n_items) + 0.5) / n_items
    log_curve = -0.50545 * np.log(rank + 0.00069183) - (rank / 0.0691426) ** 0.810574
    log_curve -= log_curve[0]
    mean = n_ratings / n_items - 1
    most = (0.486 + 0.514 * n_ratings / (n_users * n_items)) * n_users - 1
    if not 0 < mean < most:
        return np.full(n_items, mean + 1)
    power = _root(lambda p: mean - most * np.exp(p * log_curve).mean(), 0, 10)
    curve = np.exp(power * log_curve)
    raters: Floats = 1 + curve * (mean / curve.mean())
    return raters


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function that rises is zero, or the end that comes nearest."""
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return high


def _ends(counts: Integers) -> Integers:
    ends = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=ends[1:])
    return ends


def _tastes(rng: np.random.Generator, n: int) -> Tastes:
    """(n, 16) float32: 12 factors, and zeros so that a row is as long as whole vector registers."""
    parts = np.sqrt(_DECAY ** np.arange(RANK))  # of both sides' standard deviations, the product
    parts /= np.linalg.norm(parts)
    tastes = np.zeros((n, -(-RANK // 8) * 8), np.float32)
    tastes[:, :RANK] = rng.standard_normal((n, RANK), np.float32)
    tastes[:, :RANK] *= np.sqrt(parts)
    return tastes


def _first_raters(
    rng: np.random.Generator, indptr: Integers, user_tastes: Tastes, item_tastes: Tastes
) -> tuple[Integers, Integers]:
    """Deal every item to one user: both (n_items,), which user gets which item.

    A user has as many places as ratings, so that no one gets too many.
    """
    n_items = len(item_tastes)
    places = rng.choice(indptr[-1], n_items, replace=False)
    owners: Integers = np.searchsorted(indptr, places, side="right") - 1
    items = rng.permutation(n_items)

    def pull(these: Integers, those: Integers) -> Tastes:
        fits = np.einsum("ij,ij->i", user_tastes[owners[these]], item_tastes[items[those]])
        pulls: Tastes = np.minimum(fits, np.float32(_LIMIT))
        return pulls

    half = n_items // 2
    for _ in range(_SWAPS):
        shuffled = rng.permutation(n_items)
        one, two = shuffled[:half], shuffled[half : 2 * half]
        gain = pull(one, two) + pull(two, one) - pull(one, one) - pull(two, two)
        swapped = np.log(rng.random(half)) < _STRENGTH * gain  # Metropolis
        one, two = one[swapped], two[swapped]
        items[one], items[two] = items[two], items[one]
    return owners, items


def _weights(
    left: Integers, wanted: Floats, user_tastes: Tastes, item_tastes: Tastes
) -> tuple[NDArray[np.float32], float]:
    """Find the weights at which items are expected to be picked as often as wanted.

    A pick without replacement is a race: item i of user u arrives after an exponential time of rate
    ``w_i e^pull_ui``, and the first arrivals are picked, those before some time t_u. So u picks i
    with the probability ``p_ui = 1 - exp(-t_u w_i e^pull_ui)``, nearly, where ``Σ_i p_ui`` is how
    many u picks; and w_i must make ``Σ_u p_ui`` what is wanted. Both are settled in turn, over a
    sample of users that stand for all.

    Parameters
    ----------
    left
        (n_users,) how many picks each user has.
    wanted
        (n_items,) how often each item should be picked; the sum is that of ``left``.

    Returns
    -------
    log_weights
        (n_items,) float32.
    mean_fit
        The mean fit of all picks.
    """
    sample = max(32, min(_SAMPLE, _SAMPLED_PAIRS // len(wanted)))
    chosen, stands_for = _representatives(left, sample)
    picks = left[chosen].astype(np.float64)
    wanted = np.maximum(wanted, 0.01)  # a weight of 0 could never be picked, even if all must be
    fits = user_tastes[chosen] @ item_tastes.T
    pulls = np.exp(np.float32(_STRENGTH) * np.minimum(fits, np.float32(_LIMIT)))
    weights = wanted / wanted.sum()
    times = picks / (pulls @ weights)
    for _ in range(_ROUNDS):
        rates = pulls * weights.astype(np.float32) * times.astype(np.float32)[:, None]
        missed = np.exp(-rates)
        picked = 1 - missed
        # Newton's step for the times, a plain ratio for the weights; neither may leap.
        steps = (picks - picked.sum(axis=1)) / np.maximum((rates * missed).sum(axis=1), 1e-12)
        times *= np.clip(1 + steps, 0.25, 4)
        weights *= np.clip(wanted / np.maximum(stands_for @ picked, 1e-12), 0.25, 4)
    mean_fit = stands_for @ (picked * fits).sum(axis=1) / max(picks @ stands_for, 1e-12)
    return np.log(weights).astype(np.float32), float(mean_fit)


def _representatives(left: Integers, sample: int) -> tuple[Integers, Floats]:
    """Choose users of every activity, and say how many users each stands for."""
    order = np.argsort(left, kind="stable")
    if len(order) <= sample:
        return order, np.ones(len(order))
    # Half of the chances by head, half by picks: few users pick much of what is picked.
    chances = 0.5 / len(order) + 0.5 * left[order] / max(left.sum(), 1)
    marks = (np.arange(sample) + 0.5) / sample
    places = np.searchsorted(np.cumsum(chances) - chances, marks, side="right") - 1
    return order[places], 1 / (sample * chances[places])


def _biases(
    rng: np.random.Generator, n_users: int, raters: Floats
) -> tuple[Floats, NDArray[np.float32]]:
    """Return (n_users,) mean stars of each user, and (n_items,) what an item adds to them."""
    items = _ITEM_SPREAD * rng.standard_normal(len(raters)) + _FAME * np.log(raters)
    items -= np.average(items, weights=raters)
    users = _MEAN + _USER_SPREAD * rng.standard_normal(n_users)
    return users, items.astype(np.float32)


def _stays(rng: np.random.Generator, n_users: int) -> tuple[Integers, Integers]:
    """Return (n_users,) when each user comes, and for how many seconds they stay."""
    stays = np.exp(rng.uniform(np.log(_SHORTEST_STAY), np.log(_LONGEST_STAY), n_users))
    begins = _FIRST_SECOND + rng.random(n_users) * (_LAST_SECOND - _FIRST_SECOND - stays)
    return begins.astype(np.int64), stays.astype(np.int64)
