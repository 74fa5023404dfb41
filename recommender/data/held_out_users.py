"""Strong generalization: whole users are held out, and met again with a part of their ratings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import as_count
from recommender.counting import count
from recommender.data.last_in_rows import as_fraction, floors, last_by_lot
from recommender.data.seeds import generator_of
from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from recommender.arrays import Rows
    from recommender.data.ratings import Ratings


@dataclass(frozen=True, eq=False)
class StrongSplit:
    """Users to learn from, and others whom training never sees.

    All parts share their vocabularies, so that rows and columns agree: held-out users are empty
    rows of ``train``, and the others are empty rows of ``fold_in`` and ``test``.

    Attributes
    ----------
    train
        All ratings of the users who are not held out.
    fold_in
        What is told of the held-out users when they are asked about: the rest of their ratings.
    test
        What is asked of them.
    user_rows
        (n,) int64: the rows of the held-out users, increasing.
    removed_ratings, removed_items
        How many ratings of held-out users were removed, and of how many items, because no user
        of ``train`` has rated these items: nothing can be known of them.
    """

    train: Ratings
    fold_in: Ratings
    test: Ratings
    user_rows: Rows
    removed_ratings: int
    removed_items: int


def held_out_users(
    ratings: Ratings, n_users: int, fraction: float = 0.2, seed: int = 0
) -> StrongSplit:
    """Hold out whole users, and of each of them a part of the ratings to be found again.

    Parameters
    ----------
    ratings
        With or without timestamps. Users without ratings are neither held out nor counted.
    n_users
        How many users are held out, drawn at random: at least 1, and fewer than have ratings.
    fraction
        Of the n ratings of each that remain after items unknown to ``train`` are removed,
        ``floor(fraction · n)`` drawn at random are ``test`` and the others ``fold_in``: who has
        too few is not tested.
    seed
        Where the draws come from; the same seed gives the same split.

    Returns
    -------
    Three parts which, with what was removed, are all ratings. To hold out users for validation
    too, split ``train`` again.

    Raises
    ------
    InvalidInputError
        When there are not so many users, the fraction is not between 0 and 1, or the seed is
        none.

    References
    ----------
    Marlin 2004; as done by Liang, Krishnan, Hoffman and Jebara 2018, section 4.1.

    Examples
    --------
    >>> from recommender import Ratings
    >>> users, items = np.divmod(np.arange(50), 10)
    >>> split = held_out_users(Ratings.from_arrays(users, items), n_users=2)
    >>> len(split.train), len(split.fold_in), len(split.test)
    (30, 16, 4)
    >>> np.diff(split.test.indptr)[split.user_rows]
    array([2, 2])
    """
    asked, share = as_count(n_users, "n_users"), as_fraction(fraction)
    generator = generator_of(seed)
    counts = np.diff(ratings.indptr)
    with_ratings = np.flatnonzero(counts)
    if asked >= len(with_ratings):
        raise InvalidInputError(
            f"n_users must be less than the number of users with ratings, here "
            f"{len(with_ratings)}, so that somebody is left to learn from; found {asked}"
        )
    rows = np.sort(generator.choice(with_ratings, asked, replace=False))
    is_held_out = np.zeros(ratings.n_users, np.bool_)
    is_held_out[rows] = True
    theirs = np.repeat(is_held_out, counts)
    train, unseen = ratings.select(~theirs), ratings.select(theirs)
    is_known = _times_rated(train) > 0
    known = unseen.select(is_known[unseen.indices])
    tested = last_by_lot(known.indptr, floors(np.diff(known.indptr), share), generator)
    return StrongSplit(
        train,
        known.select(~tested),
        known.select(tested),
        rows,
        removed_ratings=unseen.n_ratings - known.n_ratings,
        removed_items=int(((_times_rated(unseen) > 0) & ~is_known).sum()),
    )


def _times_rated(ratings: Ratings) -> Rows:
    """(n_items,) int64: how many ratings each item has."""
    counts = np.zeros(ratings.n_items, np.int64)
    count(ratings.indices, 0, counts)
    return counts
