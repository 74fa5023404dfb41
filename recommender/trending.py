"""What is popular now: every rating counts, and half as much for each half-life since.

A rating given at t counts ``2^((t - reference) / half_life)``. The order of such sums does not
depend on the reference, so they never have to be worked out anew as time goes by: what is added
later counts more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from recommender.arrays import frozen
from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.data.ratings import Ratings

HALF_LIFE = 30 * 86_400
"""In seconds: a month, so that a season's films make way for the next."""

_LARGEST_EXPONENT = 900.0
"""Counts of ratings from a far future are cut off here, so that sums stay finite."""


@dataclass(frozen=True, eq=False)
class Trend:
    """How much each item was rated of late.

    Attributes
    ----------
    weights
        (n_items,) float64 at least 0: the ratings of each, as they count at the reference.
    reference
        When the newest rating was given, in seconds since 1970.
    half_life
        In seconds.
    """

    weights: NDArray[np.float64]
    reference: int
    half_life: int = HALF_LIFE

    def __post_init__(self) -> None:
        right = self.weights.dtype == np.float64 and self.weights.ndim == 1
        if not right or not np.isfinite(self.weights).all() or (self.weights < 0).any():
            raise InvalidInputError("weights of a trend must be finite float64 of at least 0")
        if self.half_life <= 0:
            raise InvalidInputError(f"half_life must be positive; found {self.half_life}")
        object.__setattr__(self, "weights", frozen(self.weights))

    @classmethod
    def of(cls, ratings: Ratings, half_life: int = HALF_LIFE) -> Self | None:
        """Sum up ratings; ``None`` when nobody knows when they were given."""
        times = ratings.timestamps
        if times is None or not len(times):
            return None
        reference = int(times.max())
        counts = np.exp2((times.astype(np.float64) - reference) / half_life)
        weights = np.bincount(ratings.indices, counts, minlength=ratings.n_items)
        return cls(weights.astype(np.float64), reference, half_life)

    def count(self, timestamp: int) -> float:
        """Return what one more rating counts at the reference, given at that time."""
        exponent = (timestamp - self.reference) / self.half_life
        return float(2.0 ** min(exponent, _LARGEST_EXPONENT))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that :meth:`from_arrays` takes back."""
        return {"weights": self.weights, "times": np.array([self.reference, self.half_life])}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """Open what :meth:`arrays` gave.

        Raises
        ------
        InvalidInputError
            When the arrays are not those of a trend.
        """
        times = arrays["times"]
        if times.shape != (2,) or times.dtype != np.int64:
            raise InvalidInputError("the times of a trend must be two whole numbers")
        return cls(arrays["weights"], int(times[0]), int(times[1]))
