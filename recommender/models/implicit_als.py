"""iALS: the factorization that ranks."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.data.weighting import Weighting, typical_value
from recommender.models.alternation import Side, check_enough, random_start
from recommender.models.factor_model import FactorModel
from recommender.models.objective import ImplicitObjective
from recommender.models.options import IMPLICIT_ALS, check_options
from recommender.solvers import cholesky
from recommender.solvers.threads import single_threaded_blas

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recommender.data.ratings import Ratings


@dataclass(frozen=True)
class ImplicitALS:
    """Rank by who rated what: rated pairs score 1, all others 0, with weights.

    Every option is explained, with its range, in :mod:`recommender.models.options`. The loss is
    that of Rendle, Krichene, Zhang, Koren, "Revisiting the Performance of iALS on Item
    Recommendation Benchmarks" (2021), with a weight for each rating.

    Raises
    ------
    InvalidOptionError
        When an option is outside its range.

    Examples
    --------
    >>> from recommender import ImplicitALS, Ratings
    >>> users = ["ann", "ann", "bob", "bob", "cid", "cid", "dot"]
    >>> films = ["alien", "aliens", "alien", "aliens", "shrek", "cars", "shrek"]
    >>> model = ImplicitALS(factors=2).fit(Ratings.from_arrays(users, films))
    >>> print(*model.recommend("dot", n=1)[0])
    cars
    """

    factors: int = 64
    regularization: float = 0.003
    unobserved_weight: float = 0.1
    frequency_scaling: float = 1.0
    epochs: int = 16
    init_scale: float = 0.1
    solver: str = "auto"
    seed: int = 0
    threads: int | None = None
    weighting: Weighting = "stars"

    def __post_init__(self) -> None:
        for name, value in check_options(IMPLICIT_ALS, self.__dict__).items():
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
            At least two users and two items. Values weigh as ``weighting`` says.
        callback
            Called after each epoch with its number (from 1), its seconds, and the loss.
        track_loss
            ``False`` spares the callback's loss, a tenth of an epoch; it is told ``None``.

        Returns
        -------
        A frozen model. Its user vectors solve their equations exactly, so that folding in a
        user of the training gives the vector of the training.

        Raises
        ------
        TooFewRatingsError
            When there is nothing to learn from.
        """
        check_enough(ratings)
        objective = self.objective(ratings)
        users = Side.of(ratings.by_user, objective, self.threads)
        items = Side.of(ratings.by_item, objective, self.threads)
        H = random_start(ratings.n_items, self.factors, self.init_scale, self.seed)
        W = np.zeros((ratings.n_users, self.factors), dtype=np.float32)
        no_biases = np.zeros(max(ratings.n_users, ratings.n_items), dtype=np.float32)
        with single_threaded_blas():
            for epoch in range(1, self.epochs + 1):
                started = perf_counter()
                users.solve(objective, H, no_biases, W)
                items.solve(objective, W, no_biases, H)
                seconds = perf_counter() - started
                if callback is not None:
                    loss = implicit_loss(users, items, W, H, objective) if track_loss else None
                    callback(epoch, seconds, loss)
            users.solve(objective, H, no_biases, W)
        return FactorModel(W, H, ratings, objective)

    def objective(self, ratings: Ratings) -> ImplicitObjective:
        """Return the loss for these ratings."""
        return ImplicitObjective(
            self.regularization,
            self.unobserved_weight,
            self.frequency_scaling,
            self.weighting,
            typical_value(ratings.values),
        )

    def options(self) -> dict[str, Any]:
        """Return every option by name, for a manifest."""
        return dict(self.__dict__)


def implicit_loss(
    users: Side,
    items: Side,
    W: NDArray[np.float32],
    H: NDArray[np.float32],
    objective: ImplicitObjective,
) -> float:
    """Compute the whole loss without touching unrated pairs: ``Σ_all ŷ² = <WᵀW, HᵀH>``."""
    ones = np.ones(len(users.weights), dtype=np.float32)
    observed = cholesky.observed_squares(users.matrix, users.weights, ones, W, H, users.shares)
    everything = float(np.vdot(_gram64(W), _gram64(H)))
    held = _held(users.ridge, W) + _held(items.ridge, H)
    return observed + objective.unobserved_weight * everything + held


def _gram64(factors: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = factors.astype(np.float64)
    gram: NDArray[np.float64] = wide.T @ wide
    return gram


def _held(ridge: NDArray[np.float32], factors: NDArray[np.float32]) -> float:
    """``Σ_r ridge_r ‖row_r‖²``."""
    return float(ridge.astype(np.float64) @ np.square(factors, dtype=np.float64).sum(axis=1))
