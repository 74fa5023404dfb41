"""How far off a prediction may be."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import frozen
from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """The variance of a rating around its prediction: of taste, and of what is not known of it.

    Attributes
    ----------
    noise_variance
        Of the ratings that one user would give one item on several days, in squared stars.
    user_spread, item_spread
        (n_users,) and (n_items,) float32 whose product is the variance of the prediction itself.
    """

    noise_variance: float
    user_spread: NDArray[np.float32]
    item_spread: NDArray[np.float32]

    def __post_init__(self) -> None:
        for name in ("user_spread", "item_spread"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def half_width(
        self, user_rows: NDArray[np.int64], item_rows: NDArray[np.int64], coverage: float
    ) -> NDArray[np.float32]:
        """(n,) float32: how far to each side of its prediction such a part of the ratings lies.

        Parameters
        ----------
        user_rows, item_rows
            (n,) rows; -1 is someone unknown, who is like the least known.
        coverage
            Between 0 and 1.

        Raises
        ------
        InvalidInputError
            When ``coverage`` is outside.
        """
        if not 0 < coverage < 1:
            raise InvalidInputError(f"coverage must lie between 0 and 1; found {coverage!r}")
        user, item = (
            np.where(rows >= 0, spread[rows], spread.max(initial=0))
            for rows, spread in ((user_rows, self.user_spread), (item_rows, self.item_spread))
        )
        deviations = np.sqrt(self.noise_variance + user * item)
        width = NormalDist().inv_cdf(0.5 + coverage / 2)
        return (width * deviations).astype(np.float32)
