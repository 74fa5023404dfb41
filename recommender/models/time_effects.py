"""Biases of moments: how the stars of all drift over the years, and a user's mood of the day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

PERIODS = 30
"""Parts of the whole time, with about as many ratings each (Koren 2009 has 30)."""

_DAY = 86_400
_WEAK = 1.0, 0.01
"""Shape and rate of the prior of an effect's precision: next to nothing."""


@dataclass(frozen=True, eq=False)
class TimeEffects:
    """What is added to a prediction for the moment of a rating.

    Attributes
    ----------
    edges
        (p-1,) int64 seconds where one period ends and the next begins.
    of_period
        (p,) float64.
    visits
        (v,) int64, ascending: user row and day, as one number, of each day on which a user rated.
    of_visit
        (v,) float64.
    first_day
        The day that counts as 0.
    """

    edges: NDArray[np.int64]
    of_period: NDArray[np.float64]
    visits: NDArray[np.int64]
    of_visit: NDArray[np.float64]
    first_day: int

    def at(
        self, user_rows: NDArray[np.int64], timestamps: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """(n,) float64: the effect for users, -1 for an unknown one, at moments in seconds.

        A day on which a user of the training rated nothing there has no mood.
        """
        effects = self.of_period[np.searchsorted(self.edges, timestamps, side="right")]
        if len(self.visits):
            visits = visit_keys(user_rows, timestamps, self.first_day)
            places = np.minimum(np.searchsorted(self.visits, visits), len(self.visits) - 1)
            known = self.visits[places] == visits
            effects[known] += self.of_visit[places[known]]
        return effects


def visit_keys(
    user_rows: NDArray[np.integer], timestamps: NDArray[np.int64], first_day: int
) -> NDArray[np.int64]:
    """(n,) int64: user and day as one number, below 0 for an unknown user, whose row is -1.

    Days before the first are one, and so are those that are too far off.
    """
    days = np.clip(timestamps // _DAY - first_day, -1, 2**31 - 2) + 1
    return user_rows.astype(np.int64) << 31 | days


class DrawnEffects:
    """One kind of effect while it is drawn: groups of ratings, each with a value of its own.

    Attributes
    ----------
    groups
        (n,) int32: the group of each rating.
    values
        (g,) float64: the newest draw.
    total
        (g,) float64: the sum of the draws that are kept.
    """

    def __init__(self, groups: NDArray[np.int32], n_groups: int) -> None:
        self.groups = groups
        self.values = np.zeros(n_groups)
        self.total = np.zeros(n_groups)
        self._counts = np.bincount(groups, minlength=n_groups)
        self._precision = 10.0

    def draw(self, left: NDArray[np.float64], noise_precision: float, random: Generator) -> None:
        """Draw the values anew; ``left``, what no term explains, is changed with them."""
        there = np.bincount(self.groups, weights=left, minlength=len(self.values))
        sums = there + self.values * self._counts
        precision = noise_precision * self._counts + self._precision
        new = noise_precision * sums / precision
        new += random.standard_normal(len(new)) / np.sqrt(precision)
        left -= (new - self.values)[self.groups]
        self.values = new
        shape, rate = _WEAK
        spread = rate + 0.5 * float(np.square(new).sum())
        self._precision = random.gamma(shape + 0.5 * len(new), 1 / spread)


class DrawnTimes:
    """The time effects while they are drawn."""

    def __init__(self, user_rows: NDArray[np.int32], timestamps: NDArray[np.int64]) -> None:
        shares = np.linspace(0, 1, PERIODS + 1)[1:-1]
        # A period begins at a moment that occurs, so that ratings of one second stay together.
        edges = np.unique(np.quantile(timestamps, shares, method="higher"))
        self._edges = edges.astype(np.int64)
        self._first_day = int(timestamps.min()) // _DAY
        periods = np.searchsorted(self._edges, timestamps, side="right").astype(np.int32)
        keys = visit_keys(user_rows, timestamps, self._first_day)
        self._visits, places = np.unique(keys, return_inverse=True)
        self._kinds = (
            DrawnEffects(periods, len(self._edges) + 1),
            DrawnEffects(places.astype(np.int32), len(self._visits)),
        )
        self._kept = 0

    def offsets(self) -> NDArray[np.float32]:
        """(n,) float32: the newest effect on each rating."""
        periods, visits = self._kinds
        total = periods.values[periods.groups] + visits.values[visits.groups]
        return total.astype(np.float32)

    def draw(self, left: NDArray[np.float64], noise_precision: float, random: Generator) -> None:
        """Draw both kinds anew; ``left`` is changed with them."""
        for kind in self._kinds:
            kind.draw(left, noise_precision, random)

    def keep(self) -> None:
        """Let the newest draw count in the mean."""
        self._kept += 1
        for kind in self._kinds:
            kind.total += kind.values

    def mean(self, scale: float) -> TimeEffects:
        """Return the mean of what was kept, times ``scale``."""
        of_period, of_visit = (kind.total * (scale / self._kept) for kind in self._kinds)
        return TimeEffects(self._edges, of_period, self._visits, of_visit, self._first_day)
