"""Which numbers are ratings: from the lowest to the highest, in equal steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.errors import InvalidOptionError, InvalidRatingError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# A rating written with few decimals lies this close (in steps) to its place on the scale.
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class RatingScale:
    """The ratings that users may give.

    Parameters
    ----------
    minimum, maximum
        The lowest and the highest rating, both allowed.
    step
        The distance between two neighbouring ratings, counted from ``minimum``;
        ``None`` allows everything between the two ends.

    Raises
    ------
    InvalidOptionError
        When an end is not finite, the ends are in the wrong order, or the step is not positive.

    Examples
    --------
    >>> str(RatingScale())
    '0.5 to 5 in steps of 0.5'
    >>> RatingScale().check(4), 4.3 in RatingScale(), RatingScale().clip(5.318)
    (4.0, False, 5.0)
    >>> RatingScale(1, 10, 1).accepts([1, 2.5, 11])
    array([ True, False, False])
    """

    minimum: float = 0.5
    maximum: float = 5.0
    step: float | None = 0.5

    def __post_init__(self) -> None:
        """Refuse a scale without ratings."""
        if not (math.isfinite(self.minimum) and math.isfinite(self.maximum)):
            raise InvalidOptionError("both ends of a rating scale must be finite numbers")
        if self.minimum >= self.maximum:
            raise InvalidOptionError(
                f"a rating scale from {self.minimum} to {self.maximum} holds nothing; "
                "minimum must lie below maximum"
            )
        if self.step is not None and not (math.isfinite(self.step) and self.step > 0):
            raise InvalidOptionError("the step of a rating scale must be positive, or None")

    def __str__(self) -> str:
        ends = f"{self.minimum:g} to {self.maximum:g}"
        return ends if self.step is None else f"{ends} in steps of {self.step:g}"

    def __contains__(self, rating: object) -> bool:
        """Return whether ``rating`` is a number on the scale; the scalar twin of `accepts`."""
        if isinstance(rating, bool) or not isinstance(rating, int | float | np.number):
            return False
        if not self.minimum <= rating <= self.maximum:  # also false for NaN
            return False
        return self.step is None or abs(float(rating) - self.nearest(float(rating))) <= _TOLERANCE

    def nearest(self, stars: float) -> float:
        """Return the step that a rating means: 0.1 + 0.2 means 0.3."""
        if self.step is None:
            return float(stars)
        return round(self.minimum + round((stars - self.minimum) / self.step) * self.step, 9)

    def clip(self, stars: float) -> float:
        """Return a prediction on the scale, to two decimals: more would be pretence."""
        return min(max(round(float(stars), 2), self.minimum), self.maximum)

    def check(self, value: float) -> float:
        """Return ``value`` as a float when it is on the scale.

        Raises
        ------
        InvalidRatingError
            When it is no number, not finite, or not on the scale.
        """
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            raise InvalidRatingError(f"found {type(value).__name__}; allowed: {self}")
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            raise InvalidRatingError(f"found {type(value).__name__}; allowed: {self}")
        if value not in self:
            raise InvalidRatingError(f"found {_told(value)}; allowed: {self}")
        return float(value)

    def accepts(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Return which of ``values`` (any shape, numbers) are on the scale, in the same shape."""
        numbers = np.asarray(values, dtype=np.float64)
        inside = np.asarray((numbers >= self.minimum) & (numbers <= self.maximum))
        if self.step is None:
            return inside
        steps = (np.where(inside, numbers, self.minimum) - self.minimum) / self.step
        return inside & (np.abs(steps - np.round(steps)) <= _TOLERANCE)


def _told(value: float) -> str:
    try:
        return f"{float(value):.10g}"
    except OverflowError:  # an integer beyond 2^1024
        return "inf"
