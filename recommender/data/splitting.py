"""How ratings are held out, so that a model is judged by what it has not seen.

Every split is a partition: each rating is in one part, none is in two, and all parts share rows
and columns. What is drawn depends on the seed and on the ratings, not on the order in which they
were given. Of n ratings, ``floor(fraction · n)`` are held out.

Splits within each user (:func:`last_of_each_user`, :func:`last_n_of_each_user`,
:func:`random_share` with ``per_user``) leave everything to a user of whom nothing can be held
out: so ``test`` may be empty. Splits of the whole refuse to leave a part empty.
:func:`~recommender.data.held_out_users.held_out_users` holds out users instead of ratings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import as_count
from recommender.data.last_in_rows import as_fraction, floors, last_by, last_by_lot
from recommender.data.seeds import generator_of
from recommender.errors import InvalidInputError, TooFewRatingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

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

    Examples
    --------
    >>> from recommender import Ratings
    >>> ratings = Ratings.from_arrays([1] * 5, [1, 2, 3, 4, 5], timestamps=[9, 3, 5, 2, 7])
    >>> split = last_of_each_user(ratings, fraction=0.4)
    >>> split.test.items.ids[split.test.indices]
    array([1, 5])
    """
    times = _times(ratings)
    held_out = floors(np.diff(ratings.indptr), as_fraction(fraction))
    return _parts(ratings, last_by(ratings.indptr, held_out, times.__getitem__))


def last_n_of_each_user(ratings: Ratings, n: int = 1) -> Split:
    """Hold out the last n of each user's ratings by time: leave-last-out.

    Parameters
    ----------
    ratings
        With timestamps. Ratings of one second stand in the order of their items.
    n
        How many are held out of each user who has more than n; the others keep all.

    Raises
    ------
    InvalidInputError
        When there are no timestamps, or ``n`` is no whole number of at least 1.

    Examples
    --------
    >>> from recommender import Ratings
    >>> ratings = Ratings.from_arrays([1, 1, 1, 2], [5, 6, 7, 5], timestamps=[8, 9, 9, 4])
    >>> split = last_n_of_each_user(ratings)
    >>> split
    Split(train=<Ratings: 3 by 2 users of 3 items>, test=<Ratings: 1 by 2 users of 3 items>)
    >>> split.test.items.ids[split.test.indices]  # of 6 and 7, rated in the same second
    array([7])
    """
    times, many = _times(ratings), as_count(n)
    held_out = np.where(np.diff(ratings.indptr) > many, many, 0)
    return _parts(ratings, last_by(ratings.indptr, held_out, times.__getitem__))


def random_share(
    ratings: Ratings, fraction: float = 0.2, seed: int = 0, *, per_user: bool = False
) -> Split:
    """Hold out a part of the ratings at random.

    Parameters
    ----------
    ratings
        With or without timestamps.
    fraction
        ``floor(fraction · n)`` of all n ratings are held out, or of each user's n.
    seed
        Where the draw comes from; the same seed gives the same split.
    per_user
        Draw within each user: who has too few keeps all. Else some users may have all of their
        ratings held out.

    Raises
    ------
    InvalidInputError
        When the fraction is not between 0 and 1, or the seed is none.
    TooFewRatingsError
        When the fraction of all ratings is less than one rating.

    Examples
    --------
    >>> from recommender import Ratings
    >>> users, items = np.divmod(np.arange(40), 10)
    >>> random_share(Ratings.from_arrays(users, items), 0.25).test
    <Ratings: 10 by 4 users of 10 items>
    >>> split = random_share(Ratings.from_arrays(users, items), 0.25, per_user=True)
    >>> np.diff(split.test.indptr)  # of each user's 10
    array([2, 2, 2, 2])
    """
    share, generator = as_fraction(fraction), generator_of(seed)
    if per_user:
        held_out = floors(np.diff(ratings.indptr), share)
        return _parts(ratings, last_by_lot(ratings.indptr, held_out, generator))
    chosen = np.arange(ratings.n_ratings) < _some(ratings.n_ratings, share)
    generator.shuffle(chosen)
    return _parts(ratings, chosen)


def k_fold(ratings: Ratings, k: int = 5, seed: int = 0) -> Iterator[Split]:
    """Deal the ratings into k parts at random, and hold out each in turn.

    Parameters
    ----------
    ratings
        With or without timestamps.
    k
        How many parts: from 2 to the number of ratings. Their sizes differ by one at most.
    seed
        Where the draw comes from; the same seed gives the same parts.

    Returns
    -------
    k splits, each made when it is asked for. Every rating is in ``test`` of exactly one.

    Raises
    ------
    InvalidInputError
        When ``k`` is out of its range, or the seed is none: at once, not on the first split.

    Examples
    --------
    >>> from recommender import Ratings
    >>> ratings = Ratings.from_arrays([1, 1, 2, 2, 2], [5, 6, 5, 6, 7])
    >>> [(len(split.train), len(split.test)) for split in k_fold(ratings, k=3)]
    [(3, 2), (3, 2), (4, 1)]
    """
    many, generator = as_count(k, "k"), generator_of(seed)
    if not 2 <= many <= ratings.n_ratings:
        raise InvalidInputError(
            f"k must be from 2 to the number of ratings, here {ratings.n_ratings}; found {many}"
        )
    folds = np.arange(many, dtype=np.min_scalar_type(many - 1))  # mostly a byte a rating
    fold_of = np.tile(folds, -(-ratings.n_ratings // many))[: ratings.n_ratings]
    generator.shuffle(fold_of)
    return (_parts(ratings, fold_of == fold) for fold in range(many))


def before_and_after(ratings: Ratings, share_or_moment: float = 0.2) -> Split:
    """Hold out everybody's ratings from one moment on: the past is asked about the future.

    Parameters
    ----------
    ratings
        With timestamps.
    share_or_moment
        A number between 0 and 1: the moment is the earliest from which on at most
        ``floor(share · n)`` of all n ratings were made. A whole number: the moment itself, in
        seconds since 1970.

    Returns
    -------
    ``test`` has the ratings of the moment and later; so no second is in both parts. Users and
    items that came later have no ratings in ``train``, but keep their rows.

    Raises
    ------
    InvalidInputError
        When there are no timestamps, the number is neither, or the moment leaves a part empty.
    TooFewRatingsError
        When less than one rating, or only a part of the last second, is within the share.

    Examples
    --------
    >>> from recommender import Ratings
    >>> ratings = Ratings.from_arrays([1, 1, 2, 2], [5, 6, 5, 7], timestamps=[10, 20, 30, 20])
    >>> before_and_after(ratings, 20).test.timestamps
    array([20, 30, 20])
    >>> before_and_after(ratings, 0.5).test.timestamps  # with the second 20 it would be three
    array([30])
    """
    times = _times(ratings)
    if isinstance(share_or_moment, int | np.integer) and not isinstance(share_or_moment, bool):
        moment = int(share_or_moment)
    else:
        moment = _moment(times, as_fraction(share_or_moment, "share_or_moment"))
    late = times >= moment
    if late.all() or not late.any():
        what = f"are of {times.min()} to {times.max()}" if len(times) else "are none"
        raise InvalidInputError(
            f"the moment {moment} leaves a part empty: the ratings {what} "
            "(in seconds since 1970); choose one after the first and not after the last"
        )
    return _parts(ratings, late)


def _times(ratings: Ratings) -> NDArray[np.int64]:
    if ratings.timestamps is None:
        raise InvalidInputError("a split by time needs timestamps, and these ratings have none")
    return ratings.timestamps


def _moment(times: NDArray[np.int64], share: float) -> int:
    """Return the earliest second from which on no more than the share of the ratings is left."""
    first = len(times) - _some(len(times), share)
    around = np.partition(times, first)
    # When ratings of this second stand on both sides, the next second is the first that is whole.
    if around[:first].max() < around[first]:
        return int(around[first])
    later = around[around > around[first]]
    if len(later) == 0:
        same = int((times == around[first]).sum())
        raise TooFewRatingsError(
            f"the last second, {around[first]}, has {same} of {len(times)} ratings: more than the "
            f"share of {share:g} that shall be held out"
        )
    return int(later.min())


def _some(n: int, share: float) -> int:
    """``floor(share · n)``, at least 1."""
    many = int(floors(np.array([n]), share)[0])
    if many == 0:
        raise TooFewRatingsError(
            f"of {n} ratings a share of {share:g} is less than one; nothing would be held out"
        )
    return many


def _parts(ratings: Ratings, chosen: NDArray[np.bool_]) -> Split:
    return Split(ratings.select(~chosen), ratings.select(chosen))
