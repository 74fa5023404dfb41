"""What a factorization must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from recommender.arrays import Scores
    from recommender.data.ratings import Ratings


@dataclass(frozen=True, eq=False)
class Popularity:
    """Everyone gets what most have rated.

    Attributes
    ----------
    counts
        (n_items,) float32: how many users rated each item.
    """

    counts: Scores

    @classmethod
    def fit(cls, ratings: Ratings) -> Popularity:
        """Count."""
        counts = np.bincount(ratings.indices, minlength=ratings.n_items)
        return cls(counts.astype(np.float32))

    def score_user(self, user_row: int) -> Scores:  # noqa: ARG002 - the same for everyone
        """(n_items,) float32: the counts, whoever asks."""
        return self.counts
