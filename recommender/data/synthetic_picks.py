"""How planted users pick items, compiled: user by user, each with a random stream of their own.

The random numbers are SplitMix64 (Steele, Lea and Flood 2014), started anew for every user from the
seed and the user's number, so that what a user does is the same in whichever block they come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from recommender.compiling import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)
_S11, _LOW = np.uint64(11), np.uint64(0xFFFFFFFF)
_S56 = np.uint64(56)
_UNIT = 2.0**-53
with np.errstate(divide="ignore"):
    _FLOORS = np.log(np.arange(256) / 256).astype(np.float32)


class Plan(NamedTuple):
    """All that is planted, as plain arrays: what the compiled loops see.

    Attributes
    ----------
    seed
        Of the world.
    indptr
        (n_users + 1,) int64: where each user's ratings begin.
    first_indptr, first_items
        (n_users + 1,) int64 and (n_items,) int32: the items that each user is the first to rate.
    user_tastes, item_tastes
        (n_users, k) and (n_items, k) float32; their product is the fit.
    log_weights, thresholds, aliases
        (n_items,) float32, uint64, int32: the log of an item's weight in the choice, and the alias
        table of the weights.
    strength, limit
        What one of fit adds to the log of the weight, and the fit above which more adds nothing.
    user_stars, item_stars
        (n_users,) float32 stars for an item of no bias and no fit; (n_items,) float32 added to it.
    slope, noise
        The stars that one of fit adds, and the standard deviation of the rest.
    begins, spans
        (n_users,) int64 seconds: when a user may first rate, and for how long they stay.
    """

    seed: np.uint64
    indptr: NDArray[np.int64]
    first_indptr: NDArray[np.int64]
    first_items: NDArray[np.int32]
    user_tastes: NDArray[np.float32]
    item_tastes: NDArray[np.float32]
    log_weights: NDArray[np.float32]
    thresholds: NDArray[np.uint64]
    aliases: NDArray[np.int32]
    strength: np.float32
    limit: np.float32
    user_stars: NDArray[np.float32]
    item_stars: NDArray[np.float32]
    slope: np.float32
    noise: np.float32
    begins: NDArray[np.int64]
    spans: NDArray[np.int64]


def alias_table(weights: NDArray[np.float64]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Prepare draws in proportion to weights that take the same time for any number of items.

    Walker's alias method: an item is drawn uniformly, and kept when 32 further random bits are less
    than its threshold; otherwise its alias is taken.

    Parameters
    ----------
    weights
        (n,) positive.

    Returns
    -------
    thresholds
        (n,) uint64, up to 2³².
    aliases
        (n,) int32.
    """
    n = len(weights)
    share = weights * (n / weights.sum())
    thresholds, aliases = np.empty(n), np.arange(n, dtype=np.int32)
    _fill_alias_table(share, thresholds, aliases)
    return np.round(thresholds * 2.0**32).astype(np.uint64), aliases


@kernel
def _fill_alias_table(
    share: NDArray[np.float64], thresholds: NDArray[np.float64], aliases: NDArray[np.int32]
) -> None:
    n = len(share)
    thresholds[:] = 1.0
    order = np.argsort(share)
    poor, rich = 0, n - 1
    # From the poorest up: each is filled up by the richest that still has more than its own.
    while poor < rich:
        giver = order[rich]
        taker = order[poor]
        if share[taker] >= 1.0:
            break
        thresholds[taker] = share[taker]
        aliases[taker] = giver
        share[giver] -= 1.0 - share[taker]
        poor += 1
        if share[giver] < 1.0:
            rich -= 1
            # What is left of the giver is poor now; it is filled up next.
            poor -= 1
            order[poor] = giver


@kernel
def _mixed(state: np.uint64) -> np.uint64:
    z = (state ^ (state >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@kernel
def _unit(bits: np.uint64) -> float:
    """Return a number above 0, up to 1."""
    return (np.float64(bits >> _S11) + 1.0) * _UNIT


@kernel
def draw_ratings(
    plan: Plan,
    first: int,
    last: int,
    items: NDArray[np.int32],
    stars: NDArray[np.float32],
    times: NDArray[np.int64],
) -> None:
    """Draw all ratings of the users from ``first`` up to ``last``.

    Parameters
    ----------
    plan
        What is planted.
    first, last
        A range of users.
    items, stars
        Written: (n,) for the n ratings of these users, by user and item.
    times
        Written: (n,), or (0,) when no times are wanted.
    """
    seen = np.full(len(plan.log_weights), -1, np.int32)
    origin = plan.indptr[first]
    for user in range(first, last):
        begin, end = plan.indptr[user] - origin, plan.indptr[user + 1] - origin
        picks = items[begin:end]
        state = _mixed(plan.seed + _STEP * np.uint64(user + 1))
        state = _pick(plan, user, state, seen, picks)
        picks.sort()
        state = _rate(plan, user, state, picks, stars[begin:end])
        if len(times):
            for place in range(begin, end):
                state += _STEP
                late = _unit(_mixed(state))
                times[place] = plan.begins[user] + np.int64(late * plan.spans[user])


@kernel
def _fit(taste: NDArray[np.float32], other: NDArray[np.float32]) -> np.float32:
    fit = np.float32(0)
    for i in range(len(taste)):
        fit += taste[i] * other[i]
    return fit


@kernel
def _pick(
    plan: Plan, user: int, state: np.uint64, seen: NDArray[np.int32], picks: NDArray[np.int32]
) -> np.uint64:
    """Fill ``picks`` with items, none twice; return the later random state."""
    n_items = len(plan.log_weights)
    taste = plan.user_tastes[user]
    k = 0
    for place in range(plan.first_indptr[user], plan.first_indptr[user + 1]):
        certain = plan.first_items[place]
        seen[certain] = user
        picks[k] = certain
        k += 1
    # Proposals by weight, kept by taste. Who has seen nearly all that is proposed would take
    # forever: after n_items proposals one race settles the rest.
    for _ in range(n_items):
        if k == len(picks):
            break
        state += _STEP
        bits = _mixed(state)
        drawn = np.int64(((bits >> _S32) * np.uint64(n_items)) >> _S32)
        alias = np.int64(plan.aliases[drawn])  # loaded either way: a choice without a branch
        item = drawn if (bits & _LOW) < plan.thresholds[drawn] else alias
        if seen[item] == user:
            continue
        state += _STEP
        dice = _mixed(state)
        ease = plan.strength * (_fit(taste, plan.item_tastes[item]) - plan.limit)
        # Nearly all are refused by the first bits of the dice alone: no exponential needed.
        if ease < _FLOORS[dice >> _S56] or (ease < 0 and _unit(dice) > np.exp(ease)):
            continue
        seen[item] = user
        picks[k] = item
        k += 1
    if k < len(picks):
        state = _race(plan, user, state, seen, picks[k:])
    return state


@kernel
def _race(
    plan: Plan, user: int, state: np.uint64, seen: NDArray[np.int32], picks: NDArray[np.int32]
) -> np.uint64:
    """Fill ``picks`` with the unseen items that arrive first; return the later random state."""
    n_items = len(plan.log_weights)
    taste = plan.user_tastes[user]
    unseen = np.empty(n_items, np.int32)
    arrivals = np.empty(n_items, np.float64)
    n = 0
    for item in range(n_items):
        if seen[item] == user:
            continue
        state += _STEP
        fit = min(_fit(taste, plan.item_tastes[item]), plan.limit)
        # The log of a waiting time, exponential with the rate weight · e^(strength · fit).
        wait = np.log(-np.log(_unit(_mixed(state))))
        arrivals[n] = wait - plan.log_weights[item] - plan.strength * fit
        unseen[n] = item
        n += 1
    order = np.argsort(arrivals[:n])
    for place in range(len(picks)):
        picks[place] = unseen[order[place]]
    return state


@kernel
def _rate(
    plan: Plan, user: int, state: np.uint64, picks: NDArray[np.int32], stars: NDArray[np.float32]
) -> np.uint64:
    """Write the stars of each pick; return the later random state."""
    taste = plan.user_tastes[user]
    for place in range(len(picks)):
        item = picks[place]
        state += _STEP
        radius = np.sqrt(-2.0 * np.log(_unit(_mixed(state))))  # Box and Muller
        state += _STEP
        normal = radius * np.cos(2.0 * np.pi * _unit(_mixed(state)))
        felt = plan.user_stars[user] + plan.item_stars[item] + plan.noise * normal
        felt += plan.slope * _fit(taste, plan.item_tastes[item])
        stars[place] = min(max(np.round(2.0 * felt) / 2.0, 0.5), 5.0)
    return state
