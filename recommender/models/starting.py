"""Where a training begins: at random, or where an earlier model stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.errors import InvalidInputError, TooFewRatingsError
from recommender.solvers.instructions import padded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.data.ratings import Ratings
    from recommender.models.factor_model import FactorModel

_AT_ONCE = 8_192
"""Rows drawn at a time, so that no second table is needed beside the one that is filled."""


def check_enough(ratings: Ratings) -> None:
    """Refuse what no factorization can learn from.

    Raises
    ------
    TooFewRatingsError
        When there are no ratings, or those of one user or one item alone.
    """
    if ratings.n_ratings == 0:
        raise TooFewRatingsError("there are no ratings; training needs some of at least 2 users")
    for n, one in ((ratings.n_users, "user"), (ratings.n_items, "item")):
        if n < 2:
            raise TooFewRatingsError(
                f"all {ratings.n_ratings} ratings are of one {one}; training needs at least "
                f"2 {one}s, or there is nothing to compare"
            )


def random_start(
    n_rows: int, factors: int, width: int, init_scale: float, seed: int
) -> NDArray[np.float32]:
    """(n_rows, padded width) float32: ``factors`` columns from N(0, (init_scale / √factors)²)."""
    start = np.zeros((n_rows, padded(width)), np.float32)
    generator = np.random.default_rng(seed)
    deviation = init_scale / np.sqrt(factors)
    for begin in range(0, n_rows, _AT_ONCE):
        rows = start[begin : begin + _AT_ONCE, :factors]
        draws = generator.standard_normal(rows.shape)
        draws *= deviation
        rows[:] = draws
    return start


def begin_from(
    start: FactorModel,
    ratings: Ratings,
    W: NDArray[np.float32],
    H: NDArray[np.float32],
    k: int,
    has_biases: bool = False,
) -> None:
    """Write the vectors, and where there are biases those, to the rows of the same ids.

    Raises
    ------
    InvalidInputError
        When it has another number of factors, or numbers that are not finite.
    """
    if start.item_factors.shape[1] != k:
        raise InvalidInputError(
            f"start has {start.item_factors.shape[1]} factors, this training {k}; "
            f"a training can only begin from a model of its own size"
        )
    if not all(np.isfinite(side).all() for side in (start.user_factors, start.item_factors)):
        raise InvalidInputError("start has vectors with numbers that are not finite")
    for ids, known, vectors, biases, table in (
        (ratings.users, start.users, start.user_factors, start.user_biases, W),
        (ratings.items, start.items, start.item_factors, start.item_biases, H),
    ):
        rows = known.rows(ids.ids)
        here = rows >= 0
        table[here, :k] = vectors[rows[here]]
        if has_biases and biases is not None:
            table[here, k] = biases[rows[here]]
