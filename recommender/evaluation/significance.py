"""How sure a figure is: intervals by the bootstrap over users (Efron 1979).

Users are what is drawn again, with all that is theirs: ratings of one user are alike, and to draw
ratings would make every figure look surer than it is. The interval is that of the percentiles.
It says what other users of the same kind would change; not what another seed of the training or
another split would.

A user more or less is a small part of the figure where there are many. Of fewer than about 50
users the interval is somewhat too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.errors import InvalidInputError
from recommender.evaluation.checking import as_numbers
from recommender.evaluation.resampling import (
    CONFIDENCE,
    SAMPLES,
    percentile_range,
    resampled_sums,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_ROUNDING = 1e-12
"""How far a sum may be off zero, relative to its terms, and be a tie."""


@dataclass(frozen=True)
class Interval:
    """A figure with the range that holds it with the given confidence.

    Attributes
    ----------
    mean
        The figure of all users: a mean over them (or what the function's first line says).
    low, high
        Where it may lie for other users of the same kind.
    """

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference(Interval):
    """How far the first of two models is ahead of the second, with the range that holds it.

    Attributes
    ----------
    mean, low, high
        First less second. Where 0 lies outside the range, one of them is better.
    ahead
        0 … 1: the share of resamples in which the first is ahead; ties count half.
    """

    ahead: float


def bootstrap_mean(
    values: ArrayLike, confidence: float = CONFIDENCE, samples: int = SAMPLES, seed: int = 0
) -> Interval:
    """Draw users with replacement, again and again, and look where the means over users fall.

    Parameters
    ----------
    values
        (n_users,) finite numbers, one a user, at least one.
    confidence
        Part of the means that lies in the interval: between 0 and 1.
    samples
        How often as many users are drawn as there are.
    seed
        Where the draws come from; the same seed gives the same interval.

    Returns
    -------
    The mean of ``values`` and its interval.

    Raises
    ------
    InvalidInputError
        When there are no values, they are no finite numbers, or an argument is out of its range.

    Notes
    -----
    Beside the values themselves a few tens of megabytes are in use, for a million users too.

    Examples
    --------
    >>> bootstrap_mean(np.array([1.0, 1.0, 1.0]))
    Interval(mean=1.0, low=1.0, high=1.0)
    >>> interval = bootstrap_mean(np.arange(101))
    >>> interval.low < interval.mean == 50 < interval.high
    True
    """
    _check_confidence(confidence)
    given = _of_users("values", values)
    sums = resampled_sums((given,), samples, seed)[0]
    return Interval(float(given.mean()), *percentile_range(sums / len(given), confidence))


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    confidence: float = CONFIDENCE,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Difference:
    """Compare two models on the same users: the mean over users of first less second.

    Some users are easy for every model and some hard. Compared user by user, that falls away: the
    interval is narrower than two intervals beside each other suggest.

    Parameters
    ----------
    first, second
        (n_users,) finite numbers, larger is better, each user at the same place in both.
    confidence, samples, seed
        As in :func:`bootstrap_mean`.

    Returns
    -------
    The mean difference, its interval, and the share of resamples in which the first is ahead.

    Raises
    ------
    InvalidInputError
        As in :func:`bootstrap_mean`, and when the two are not of one length.

    Examples
    --------
    >>> paired_difference([0.5, 0.25, 0.75], [0.25, 0.0, 0.5])
    Difference(mean=0.25, low=0.25, high=0.25, ahead=1.0)
    """
    _check_confidence(confidence)
    one, other = _of_users("first", first), _of_users("second", second)
    if len(one) != len(other):
        raise InvalidInputError(
            "first and second must be of one length, the same user at the same place; "
            f"found {len(one)} and {len(other)}"
        )
    gaps = one - other
    sums = resampled_sums((gaps,), samples, seed)[0]
    # 0.1 + 0.2 - 0.3 is a tie on paper and 6e-17 in float64.
    tied = np.abs(sums) <= _ROUNDING * np.abs(gaps).sum()
    ahead = float(np.mean((sums > 0) & ~tied) + np.mean(tied) / 2)
    return Difference(float(gaps.mean()), *percentile_range(sums / len(gaps), confidence), ahead)


def bootstrap_rmse(
    squared_errors_by_user: ArrayLike,
    counts_by_user: ArrayLike,
    confidence: float = CONFIDENCE,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Interval:
    """Draw users with all their ratings: root of their squared errors over their ratings.

    Parameters
    ----------
    squared_errors_by_user
        (n_users,) the squared errors of each user's ratings added up.
    counts_by_user
        (n_users,) how many ratings those are: whole numbers of at least 1.
    confidence, samples, seed
        As in :func:`bootstrap_mean`.

    Returns
    -------
    The RMSE over all ratings (in ``mean``) and its interval.

    Raises
    ------
    InvalidInputError
        As in :func:`bootstrap_mean`, and when an error is negative, a count is not 1 or more, or
        the two are not of one length.

    Examples
    --------
    >>> users, errors = np.array([0, 0, 1]), np.array([0.5, -0.5, 1.0])
    >>> interval = bootstrap_rmse(np.bincount(users, errors**2), np.bincount(users))
    >>> interval.low, interval.mean, interval.high
    (0.5, 0.707106..., 1.0)
    """
    _check_confidence(confidence)
    errors = _of_users("squared_errors_by_user", squared_errors_by_user)
    counts = _of_users("counts_by_user", counts_by_user)
    if len(errors) != len(counts):
        raise InvalidInputError(
            "squared_errors_by_user and counts_by_user must be of one length; "
            f"found {len(errors)} and {len(counts)}"
        )
    if (errors < 0).any():
        user = int(np.argmax(errors < 0))
        raise InvalidInputError(
            f"squared_errors_by_user[{user}] is {errors[user]}; no square is below 0"
        )
    senseless = (counts < 1) | (counts != np.floor(counts))
    if senseless.any():
        user = int(np.argmax(senseless))
        raise InvalidInputError(
            f"counts_by_user[{user}] is {counts[user]:g}; only whole numbers of at least 1 are "
            "allowed: leave out users without ratings"
        )
    drawn_errors, drawn_counts = resampled_sums((errors, counts), samples, seed)
    rmse = float(np.sqrt(errors.sum() / counts.sum()))
    return Interval(rmse, *percentile_range(np.sqrt(drawn_errors / drawn_counts), confidence))


def _of_users(name: str, given: ArrayLike) -> NDArray[np.float64]:
    numbers = as_numbers(name, given, "user")
    if len(numbers) == 0:
        raise InvalidInputError(f"{name} is empty; an interval needs at least one user")
    return numbers


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise InvalidInputError(f"confidence must lie between 0 and 1; found {confidence!r}")
