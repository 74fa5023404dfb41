"""What a list may be judged by besides relevance: how known its movies are, and their genres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.errors import InvalidInputError
from recommender.reranking.checking import as_finite, as_shares

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def self_information(n_ratings: ArrayLike, n_users: int) -> NDArray[np.float64]:
    """Return how surprising it is, in bits, that somebody has rated each movie.

    ``-log2((n_ratings + 1) / (n_users + 1))``: the self-information of Zhou et al. (PNAS 2010), and
    of Vargas and Castells (RecSys 2011) as novelty. With one added to both, a movie that nobody has
    rated is as finite as one that everyone has, which tells nothing: 0 bits.

    Parameters
    ----------
    n_ratings
        (m,) how many users have rated each movie, from 0 to ``n_users``.
    n_users
        How many users there are.

    Returns
    -------
    (m,) float64 bits, from 0 to log2(n_users + 1).

    Raises
    ------
    InvalidInputError
        When a movie has fewer than 0 ratings, or more than there are users.

    Examples
    --------
    >>> self_information([0, 1, 7], 7).tolist()
    [3.0, 2.0, 0.0]
    """
    users = float(as_finite(n_users, "n_users", (), least=0))
    ratings = as_finite(n_ratings, "n_ratings", (None,), least=0)
    if (ratings > users).any():
        place = int(np.argmax(ratings > users))
        raise InvalidInputError(
            f"n_ratings[{place}] is {ratings[place]:g}, of {users:g} users; "
            "each user counts once for a movie"
        )
    bits: NDArray[np.float64] = np.log2((users + 1) / (ratings + 1))
    return bits


def genre_distribution(genres: ArrayLike) -> NDArray[np.float64]:
    """Return how each movie is divided among its genres: evenly (Steck, RecSys 2018, section 3).

    Parameters
    ----------
    genres
        (m, G) bool: which movie has which genres.

    Returns
    -------
    (m, G) float64 rows that sum to 1; zeros for a movie without genres.

    Raises
    ------
    InvalidInputError
        When it is no table of booleans.

    Examples
    --------
    >>> genre_distribution([[True, True], [False, True], [False, False]]).tolist()
    [[0.5, 0.5], [0.0, 1.0], [0.0, 0.0]]
    """
    flags = np.asarray(genres)
    if flags.dtype != np.bool_ or flags.ndim != 2:
        raise InvalidInputError(
            "genres must be a table of booleans, a row for each movie and a column for each "
            f"genre; found {flags.dtype} of the shape {flags.shape}"
        )
    shares: NDArray[np.float64] = flags / np.maximum(flags.sum(axis=1, keepdims=True), 1)
    return shares


def taste_of(distributions: ArrayLike, weights: ArrayLike) -> NDArray[np.float64]:
    """Return how a user's liking is divided among genres (Steck, RecSys 2018, equation 2).

    Parameters
    ----------
    distributions
        (n, G) the genre distributions of what the user has rated.
    weights
        (n,) how much each counts, at least 0: ones, stars, or less for what was long ago.

    Returns
    -------
    (G,) float64 that sums to 1; zeros when no rated movie with a weight has a genre.

    Raises
    ------
    InvalidInputError
        When the shapes do not fit, a row is no distribution, or a weight is negative or not finite.

    Examples
    --------
    >>> taste_of([[1.0, 0.0], [0.5, 0.5]], [1.0, 1.0]).tolist()
    [0.75, 0.25]
    """
    shares = as_shares(distributions, "distributions", (None, None))
    counted = as_finite(weights, "weights", (len(shares),), least=0)
    # Weights matter by their ratios; taken by the largest, no sum of them can overflow.
    liked = (counted / (counted.max(initial=0.0) or 1.0)) @ shares
    total = liked.sum()
    taste: NDArray[np.float64] = liked / total if total > 0 else np.zeros_like(liked)
    return taste
