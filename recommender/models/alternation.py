"""Alternating least squares: solve the users while the items stand still, then the items.

Both models do this; they differ in their objective alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.errors import TooFewRatingsError
from recommender.solvers import cholesky
from recommender.solvers.threads import available_threads, deal_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Rows, SparseRows
    from recommender.data.ratings import Ratings
    from recommender.models.objective import AnyObjective


@dataclass(frozen=True, eq=False)
class Side:
    """One side's ratings, ready to be solved: constant through the training.

    Attributes
    ----------
    matrix
        (n, m) sparse, one row for each of this side.
    weights
        (n_entries,) w of each rating.
    ridge
        (n,) regularization of each row.
    shares
        Which rows each thread solves.
    """

    matrix: SparseRows
    weights: NDArray[np.float32]
    ridge: NDArray[np.float32]
    shares: list[Rows]

    @classmethod
    def of(cls, matrix: SparseRows, objective: AnyObjective, threads: int | None) -> Side:
        """Prepare one orientation of the ratings."""
        return cls(
            matrix,
            objective.weights(matrix.values),
            objective.ridge(np.diff(matrix.indptr), matrix.n_columns),
            deal_rows(matrix.indptr, _worthwhile(threads, len(matrix.indices))),
        )

    def solve(
        self,
        objective: AnyObjective,
        other: NDArray[np.float32],
        baselines: NDArray[np.float32],
        out: NDArray[np.float32],
    ) -> None:
        """Solve every row of this side into ``out`` (n, k).

        Parameters
        ----------
        other
            (m, k) the side that stands still.
        baselines
            (m,) what the other side's biases, and the mean, already say.
        """
        targets = objective.targets(self.matrix.values, baselines[self.matrix.indices])
        standing = cholesky.Standing.for_many_rows(other, objective.gram(other))
        cholesky.solve_rows(
            self.matrix, self.weights, targets, standing, self.ridge, out, self.shares
        )


def _worthwhile(threads: int | None, n_entries: int) -> int:
    """Use no more threads than there is work for: to start one takes as long as a few rows."""
    return min(threads or available_threads(), 1 + n_entries // 5_000)


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


def random_start(n_rows: int, factors: int, init_scale: float, seed: int) -> NDArray[np.float32]:
    """(n_rows, factors) float32 drawn from N(0, (init_scale / √factors)²)."""
    generator = np.random.default_rng(seed)
    deviation = init_scale / np.sqrt(factors)
    start: NDArray[np.float32] = deviation * generator.standard_normal((n_rows, factors))
    return start.astype(np.float32)
