"""How ratings are held out, so that a model is judged by what it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.data.ratings import Ratings


@dataclass(frozen=True, eq=False)
class Split:
    """Two parts of the same ratings, with the same rows and columns.

    Attributes
    ----------
    train, test
        Ratings that share their vocabularies; no pair is in both.
    """

    train: Ratings
    test: Ratings


def last_of_each_user(ratings: Ratings, fraction: float = 0.2) -> Split:
    """Hold out the last part of each user's ratings by time.

    Parameters
    ----------
    ratings
        With timestamps. Ratings of one second stand in the order of their items.
    fraction
        Of each user's n ratings, ``floor(fraction · n)`` are held out: who has too few keeps all.

    Raises
    ------
    InvalidInputError
        When there are no timestamps, or the fraction is not between 0 and 1.
    """
    if ratings.timestamps is None:
        raise InvalidInputError("a split by time needs timestamps, and these ratings have none")
    if not 0 < fraction < 1:
        raise InvalidInputError(f"fraction must lie between 0 and 1; found {fraction!r}")
    counts = np.diff(ratings.indptr)
    by_user_and_time = np.lexsort((ratings.indices, ratings.timestamps, ratings.user_rows))
    place = np.arange(ratings.n_ratings) - np.repeat(ratings.indptr[:-1], counts)
    # The small addition keeps 0.2 · 5, which is 1 on paper, from being 0 in binary.
    held_out = np.floor(counts * fraction + 1e-9).astype(np.int64)
    is_late = place >= np.repeat(counts - held_out, counts)
    test: NDArray[np.bool_] = np.zeros(ratings.n_ratings, dtype=np.bool_)
    test[by_user_and_time] = is_late
    return Split(ratings.select(~test), ratings.select(test))
