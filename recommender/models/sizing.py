"""Regularization for ratings of a size, for whoever does not tune.

Measured on planted worlds and parts of ml-latest-small: docs/decisions/0013-defaults-by-size.md.
"""

from __future__ import annotations

from math import sqrt

RANGES = {"implicit-als": (0.01, 0.03), "biased-als": (0.03, 0.16)}
"""From the least to the most that is chosen for each model."""

_USERS_AND_ITEMS = 90.0
_STARS = 0.6


def regularization_for(n_users: int, n_items: int, n_ratings: int) -> dict[str, float]:
    """Return the λ of each model that should be good for ratings of this size.

    Where there are few users and items, the many vectors that agree with what is known rank the
    rest by chance: λ of the ranking is 90 over the number of both. Where each of them has many
    ratings, stars need less help: λ of the stars is 0.6 over the root of how many ratings there
    are for each user and item.

    Parameters
    ----------
    n_users, n_items, n_ratings
        How many there are; at least one user and one item.

    Returns
    -------
    By the model's name, to three digits, within :data:`RANGES`.

    Examples
    --------
    >>> regularization_for(610, 9_724, 100_836)
    {'implicit-als': 0.01, 'biased-als': 0.16}
    >>> regularization_for(943, 1_682, 100_000)
    {'implicit-als': 0.03, 'biased-als': 0.0972}
    """
    both = n_users + n_items
    found = {
        "implicit-als": _USERS_AND_ITEMS / both,
        "biased-als": _STARS / sqrt(max(n_ratings, 1) / both),
    }
    return {name: _within(*RANGES[name], value) for name, value in found.items()}


def _within(low: float, high: float, value: float) -> float:
    return float(f"{min(max(value, low), high):.3g}")
