"""The factorization that predicts stars: mean, biases and a dot product."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.models.alternation import Side, check_enough, random_start
from recommender.models.factor_model import FactorModel
from recommender.models.objective import ExplicitObjective
from recommender.models.options import BIASED_ALS, check_options
from recommender.solvers import cholesky
from recommender.solvers.threads import single_threaded_blas

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recommender.data.ratings import Ratings


@dataclass(frozen=True)
class BiasedALS:
    """Predict stars: ``μ + b_u + b_i + w_u·h_i``, by exact alternating least squares.

    Every option is explained, with its range, in :mod:`recommender.models.options`. A bias is
    solved together with its vector, as one more coordinate that meets a 1 on the other side.

    Raises
    ------
    InvalidOptionError
        When an option is outside its range.
    """

    factors: int = 16
    regularization: float = 0.1
    biases: bool = True
    epochs: int = 16
    frequency_scaling: float = 1.0
    init_scale: float = 0.1
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        for name, value in check_options(BIASED_ALS, self.__dict__).items():
            object.__setattr__(self, name, value)

    def fit(
        self,
        ratings: Ratings,
        callback: Callable[[int, float, float | None], None] | None = None,
        *,
        track_loss: bool = True,
    ) -> FactorModel:
        """Factorize.

        Parameters
        ----------
        ratings
            At least two users and two items; the values are what is predicted.
        callback
            Called after each epoch with its number (from 1), its seconds, and the loss.
        track_loss
            ``False`` spares the callback's loss, a tenth of an epoch; it is told ``None``.

        Raises
        ------
        TooFewRatingsError
            When there is nothing to learn from.
        """
        check_enough(ratings)
        objective = ExplicitObjective(self.regularization, self.frequency_scaling)
        users = Side.of(ratings.by_user, objective, self.threads)
        items = Side.of(ratings.by_item, objective, self.threads)
        mean = float(ratings.values.mean(dtype=np.float64)) if self.biases else 0.0
        k = self.factors
        W = _Half(ratings.n_users, k, self.biases, mean)
        H = _Half(ratings.n_items, k, self.biases, mean)
        H.solved[:, :k] = random_start(ratings.n_items, k, self.init_scale, self.seed)
        with single_threaded_blas():
            for epoch in range(1, self.epochs + 1):
                started = perf_counter()
                users.solve(objective, H.seen_from_across(), H.baselines(), W.solved)
                items.solve(objective, W.seen_from_across(), W.baselines(), H.solved)
                seconds = perf_counter() - started
                if callback is not None:
                    callback(epoch, seconds, _loss(users, items, W, H) if track_loss else None)
            users.solve(objective, H.seen_from_across(), H.baselines(), W.solved)
        return FactorModel(
            np.ascontiguousarray(W.solved[:, :k]),
            np.ascontiguousarray(H.solved[:, :k]),
            ratings,
            objective,
            mean,
            W.biases(),
            H.biases(),
        )

    def options(self) -> dict[str, Any]:
        """Return every option by name, for a manifest."""
        return dict(self.__dict__)


class _Half:
    """One side's vectors, with the bias as the last column where there are biases."""

    def __init__(self, n_rows: int, k: int, biases: bool, mean: float) -> None:
        self.k = k
        self.mean = np.float32(mean)
        self.solved = np.zeros((n_rows, k + biases), dtype=np.float32)

    def biases(self) -> NDArray[np.float32] | None:
        """(n,) float32, or None."""
        if self.solved.shape[1] == self.k:
            return None
        return np.ascontiguousarray(self.solved[:, self.k])

    def baselines(self) -> NDArray[np.float32]:
        """(n,) the mean and this side's bias: what the other side need not explain."""
        biases = self.biases()
        if biases is None:
            return np.full(len(self.solved), self.mean, dtype=np.float32)
        return self.mean + biases

    def seen_from_across(self) -> NDArray[np.float32]:
        """(n, k or k+1): the vectors with a 1 where the other side's bias meets them."""
        seen = self.solved.copy()
        seen[:, self.k :] = 1
        return seen


def _loss(users: Side, items: Side, W: _Half, H: _Half) -> float:
    """Compute the whole loss, biases held like vectors."""
    matrix = users.matrix
    left = (matrix.values - H.baselines()[matrix.indices]).astype(np.float32)
    squares = cholesky.observed_squares(
        matrix, users.weights, left, W.solved, H.seen_from_across(), users.shares
    )
    held = [
        side.ridge.astype(np.float64) @ np.square(half.solved, dtype=np.float64).sum(axis=1)
        for side, half in ((users, W), (items, H))
    ]
    return squares + float(sum(held))
