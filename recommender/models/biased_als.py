"""The factorization that predicts stars: mean, biases and a dot product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.models.alternation import (
    Alternation,
    choose_solver,
    equations,
    narrowed,
    run_epochs,
)
from recommender.models.early_stopping import monitor
from recommender.models.factor_model import FactorModel
from recommender.models.momentum import Momentum
from recommender.models.objective import ExplicitObjective
from recommender.models.options import BIASED_ALS, check_options
from recommender.models.starting import begin_from, check_enough, random_start
from recommender.solvers.equations import Standing
from recommender.solvers.instructions import padded

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

    factors: int = 15
    regularization: float = 0.1
    biases: bool = True
    epochs: int = 12
    frequency_scaling: float = 1.0
    init_scale: float = 0.1
    seed: int = 0
    threads: int | None = None
    momentum: bool = True

    def __post_init__(self) -> None:
        for name, value in check_options(BIASED_ALS, self.__dict__).items():
            object.__setattr__(self, name, value)

    def fit(
        self,
        ratings: Ratings,
        callback: Callable[[int, float, float | None], None] | None = None,
        *,
        start: FactorModel | None = None,
        validate: Callable[[FactorModel], float] | None = None,
        patience: int = 2,
    ) -> FactorModel:
        """Factorize.

        Parameters
        ----------
        ratings
            At least two users and two items; the values are what is predicted.
        callback, start, validate, patience
            As in :meth:`ImplicitALS.fit <recommender.ImplicitALS.fit>`.

        Returns
        -------
        A frozen model; the vectors and biases of its users are exact.

        Raises
        ------
        TooFewRatingsError
            When there is nothing to learn from.
        InvalidInputError
            When ``start`` has another number of factors, or values are too large to compute with.
        """
        check_enough(ratings)
        objective = ExplicitObjective(self.regularization, self.frequency_scaling)
        values, counts = ratings.histogram()
        mean = float(np.average(values.astype(np.float64), weights=counts)) if self.biases else 0.0
        k, width = self.factors, self.factors + self.biases
        W = _Half(np.zeros((ratings.n_users, padded(width)), np.float32), k, self.biases, mean)
        first = random_start(ratings.n_items, k, width, self.init_scale, self.seed)
        H = _Half(first, k, self.biases, mean)
        if start is not None:
            begin_from(start, ratings, W.solved, H.solved, k, self.biases)
        alternation = Alternation(
            equations(ratings.by_user, objective, self.threads),
            equations(ratings.by_item, objective, self.threads),
            W, H, choose_solver("cholesky", k), 0, 0.0, Momentum() if self.momentum else None,
        )  # fmt: skip

        def model() -> FactorModel:
            vectors = narrowed(W.solved, k), narrowed(H.solved, k)
            return FactorModel(*vectors, ratings, objective, mean, W.biases(), H.biases())

        run_epochs(alternation, self.epochs, callback, monitor(validate, patience), model)
        return model()

    @property
    def steps(self) -> int:
        """How often the callback is called, at most."""
        return self.epochs

    def options(self) -> dict[str, Any]:
        """Return every option by name, for a manifest."""
        return dict(self.__dict__)


@dataclass(eq=False)
class _Half:
    """One side's vectors, and after them the bias where there are biases."""

    solved: NDArray[np.float32]
    k: int
    has_biases: bool
    mean: float

    def biases(self) -> NDArray[np.float32] | None:
        """(n,) float32, or None."""
        return self.solved[:, self.k].copy() if self.has_biases else None

    def standing(self, eigenvalues: NDArray[np.float32]) -> Standing:
        """Return the vectors with a 1 where the other side's bias meets them.

        What need not be explained by the other side is taken off: the mean, and this bias.
        """
        biases = self.biases()
        if biases is None:
            return Standing.diagonal(self.solved, eigenvalues)
        seen = self.solved.copy()
        seen[:, self.k] = 1
        return Standing.diagonal(seen, eigenvalues, np.float32(self.mean) + biases)
