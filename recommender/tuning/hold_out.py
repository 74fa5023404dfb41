"""What a search is judged by: a part of the training ratings that no trial learns from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

import numpy as np

from recommender.data.splitting import Split, last_n_of_each_user, last_of_each_user, random_share
from recommender.errors import InvalidInputError, TooFewRatingsError
from recommender.tuning.space import LEAVE_ONE_OUT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.data.ratings import Ratings

HoldOut = Literal["time", "random"]

HOLD_OUTS: tuple[HoldOut, ...] = ("time", "random")

SHARE = 0.2
"""Of each user's ratings, where more than one is held out."""


def hold_out(ratings: Ratings, protocol: str, how: HoldOut, seed: int) -> Split:
    """Take away what trials are judged by.

    Parameters
    ----------
    ratings
        All that a search may see.
    protocol
        ``"leave-one-out"`` holds out one rating of each user who has two or more; every other
        protocol a fifth of each user's ratings, rounded down.
    how
        ``"time"``: the last ones. ``"random"``: any, drawn from the seed.
    seed
        Where the draw comes from.

    Raises
    ------
    InvalidInputError
        When the last ones are asked for and there are no timestamps.
    TooFewRatingsError
        When no user has ratings enough.
    """
    one = protocol == LEAVE_ONE_OUT
    if how == "time" and ratings.timestamps is None:
        raise InvalidInputError(
            "holding out by time needs timestamps, and these ratings have none; "
            "hold out at random (--hold-out random)"
        )
    if how == "time":
        split = last_n_of_each_user(ratings, 1) if one else last_of_each_user(ratings, SHARE)
    elif one:
        split = _any_one_of_each_user(ratings, seed)
    else:
        split = random_share(ratings, SHARE, seed, per_user=True)
    if split.test.n_ratings == 0 or split.train.n_ratings == 0:
        least = 2 if one else round(1 / SHARE)
        raise TooFewRatingsError(
            f"nothing can be held out: none of the {ratings.n_users} users has {least} ratings "
            "or more"
        )
    return split


def _any_one_of_each_user(ratings: Ratings, seed: int) -> Split:
    """Hold out one rating, whichever, of each user who has two or more."""
    counts = np.diff(ratings.indptr)
    draws = np.random.default_rng(seed).random(ratings.n_users)
    places = ratings.indptr[:-1] + np.floor(draws * counts).astype(np.int64)
    test: NDArray[np.bool_] = np.zeros(ratings.n_ratings, np.bool_)
    test[places[counts > 1]] = True
    return Split(ratings.select(~test), ratings.select(test))


def digest(ratings: Ratings) -> str:
    """Return what changes with any id, rating or time: 16 hexadecimal digits.

    Examples
    --------
    >>> from recommender import Ratings
    >>> first = Ratings.from_arrays([1, 1, 2], [1, 2, 2], [5, 3, 1])
    >>> again = Ratings.from_arrays([2, 1, 1], [2, 1, 2], [1, 5, 3])
    >>> other = Ratings.from_arrays([1, 1, 2], [1, 2, 2], [5, 3, 2])
    >>> digest(first) == digest(again), digest(first) == digest(other)
    (True, False)
    """
    whole = hashlib.sha256()
    rows = ratings.by_user
    for array in (
        ratings.users.ids, ratings.items.ids,
        rows.indptr, rows.indices, rows.codes, rows.levels, ratings.timestamps,
    ):  # fmt: skip
        if array is None:
            whole.update(b"none")
            continue
        whole.update(f"{array.dtype} {array.shape} ".encode())
        whole.update(np.ascontiguousarray(array).view(np.uint8).data)
    return whole.hexdigest()[:16]
