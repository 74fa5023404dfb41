"""What an experiment found: figures, each of which knows what it owes to which user.

Every figure with an interval is a function of sums over users: a mean is a sum over the number of
users, an RMSE the root of a sum over the number of ratings. So users can be drawn again, with all
that is theirs, for all figures at once: see :mod:`recommender.evaluation.resampling`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from recommender.evaluation.resampling import SAMPLES, resampled_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Rows


@dataclass(frozen=True)
class Figure:
    """How a figure comes from sums over users.

    Attributes
    ----------
    numerators
        Names of columns: one, or for ``"absolute"`` several.
    denominator
        The name of a column.
    shape
        ``"mean"``: Σ numerator / Σ denominator; ``"root"``: the root of that; ``"absolute"``: the
        sum of |Σ numerator| over all numerators, over Σ denominator.
    """

    numerators: tuple[str, ...]
    denominator: str = "users"
    shape: Literal["mean", "root", "absolute"] = "mean"

    def of(self, sums: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the figure for each of some sets of sums; NaN where there is nothing to divide."""
        numerators = np.stack([sums[name] for name in self.numerators])
        total = np.abs(numerators).sum(axis=0) if self.shape == "absolute" else numerators[0]
        below = sums[self.denominator]
        share: NDArray[np.float64] = np.full(np.shape(below), np.nan)
        np.divide(total, below, out=share, where=below > 0)
        if self.shape == "root":
            np.sqrt(share, out=share)
        return share


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one experiment found.

    Attributes
    ----------
    columns
        (n_users,) float64 each: what each user adds to the sums. ``"users"`` is 1 for each user
        who counts.
    figures
        By name, such as ``"ndcg@10"``.
    wholes
        Figures of all lists together, such as ``"coverage@10"``: they have no interval.
    counts
        What was asked, what was dropped, and what fell back: see
        :data:`recommender.evaluation.report.COUNTS`.
    settings
        What the protocol was told besides, for the report.
    user_ids
        (n_users,) whose each place of the columns is; empty where nobody said.
    """

    columns: dict[str, NDArray[np.float64]]
    figures: dict[str, Figure]
    wholes: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    settings: dict[str, object] = field(default_factory=dict)
    user_ids: NDArray[Any] = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def n_users(self) -> int:
        """How many users count."""
        return int(self.columns["users"].sum())

    def value(self, name: str) -> float:
        """Return one figure.

        Raises
        ------
        KeyError
            When there is none of that name.
        """
        if name in self.wholes:
            return self.wholes[name]
        figure = self.figures[name]
        needed = {*figure.numerators, figure.denominator}
        return float(figure.of({name: np.array(self.columns[name].sum()) for name in needed}))

    def values(self) -> dict[str, float]:
        """Return all figures by name."""
        return {name: self.value(name) for name in (*self.figures, *self.wholes)}

    def resampled(
        self, samples: int = SAMPLES, seed: int = 0, among: tuple[Rows, int] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Draw as many users as there are with replacement, again and again.

        Parameters
        ----------
        samples
            How often.
        seed
            Where the draws come from. Outcomes of as many users see the same draws.
        among
            Where the users are some of those of a larger experiment: (n_users,) the place of each,
            and how many there are. Those are drawn; who is not here adds nothing. So outcomes of
            several folds see the same users drawn, whatever fold their ratings fell into.

        Returns
        -------
        (samples,) float64 each figure of each draw, NaN where there is nothing to divide by; those
        of ``wholes`` are not among them.

        Raises
        ------
        InvalidInputError
            When ``samples`` or ``seed`` is senseless.
        """
        names = list(self.columns)
        columns = [_spread(self.columns[name], among) for name in names]
        sums = resampled_sums(columns, samples, seed)
        drawn = dict(zip(names, sums, strict=True))
        return {name: figure.of(drawn) for name, figure in self.figures.items()}


def _spread(column: NDArray[np.float64], among: tuple[Rows, int] | None) -> NDArray[np.float64]:
    """Bring what users add to the places that they have in a larger experiment."""
    if among is None:
        return column
    places, n = among
    spread = np.zeros(n)
    spread[places] = column
    return spread
