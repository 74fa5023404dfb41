"""How sure a mean over users is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Interval:
    """A mean with the range that holds it with the given confidence."""

    mean: float
    low: float
    high: float


def bootstrap_mean(
    values: NDArray[np.float64], confidence: float = 0.95, samples: int = 1000, seed: int = 0
) -> Interval:
    """Draw users with replacement, again and again, and look where the means fall.

    Parameters
    ----------
    values
        (n_users,) one number a user, at least one.
    confidence
        Part of the means that lies in the interval.

    Examples
    --------
    >>> bootstrap_mean(np.array([1.0, 1.0, 1.0]))
    Interval(mean=1.0, low=1.0, high=1.0)
    """
    generator = np.random.default_rng(seed)
    means = np.array(
        [values[generator.integers(0, len(values), len(values))].mean() for _ in range(samples)]
    )
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return Interval(float(values.mean()), float(low), float(high))
