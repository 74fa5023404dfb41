"""iALS: the factorization that ranks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.data.weighting import Weighting, typical_value
from recommender.models.alternation import (
    Alternation,
    Vectors,
    choose_solver,
    equations,
    narrowed,
    run_epochs,
)
from recommender.models.early_stopping import monitor
from recommender.models.factor_model import FactorModel
from recommender.models.momentum import Momentum
from recommender.models.objective import ImplicitObjective
from recommender.models.options import IMPLICIT_ALS, check_options
from recommender.models.starting import begin_from, check_enough, random_start
from recommender.solvers.instructions import padded

if TYPE_CHECKING:
    from collections.abc import Callable

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
    weight_power: float = 2.0
    momentum: bool = True

    def __post_init__(self) -> None:
        for name, value in check_options(IMPLICIT_ALS, self.__dict__).items():
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
            At least two users and two items. Rows and columns without ratings are allowed; their
            vectors are zero.
        callback
            Called after each epoch with its number (from 1), its seconds, and the loss, which
            never rises by more than rounding.
        start
            Begin where this model of as many factors stands: users and items are matched by id,
            and who is new begins as without it.
        validate
            Called after each epoch with the model as it is; returns a score, larger is better.
            Training ends early when the score has not risen for ``patience`` epochs, and the
            items of the best epoch are kept; the exact last half-step of the users comes after.
            See :mod:`recommender.evaluation.validation`.
        patience
            How many epochs without a new best score end the training; at least 1.

        Returns
        -------
        A frozen model. Its user vectors solve their equations exactly, so that folding in a
        user of the training gives the vector of the training.

        Raises
        ------
        TooFewRatingsError
            When there is nothing to learn from.
        InvalidInputError
            When ``start`` has another number of factors, ``validate`` returns NaN, or numbers grow
            beyond what float32 holds.
        """
        check_enough(ratings)
        objective = self.objective(ratings)
        k = self.factors
        W = Vectors(np.zeros((ratings.n_users, padded(k)), np.float32))
        H = Vectors(random_start(ratings.n_items, k, k, self.init_scale, self.seed))
        if start is not None:
            begin_from(start, ratings, W.solved, H.solved, k)
        alternation = Alternation(
            equations(ratings.by_user, objective, self.threads),
            equations(ratings.by_item, objective, self.threads),
            W, H, choose_solver(self.solver, k), k, self.unobserved_weight,
            Momentum() if self.momentum else None,
        )  # fmt: skip

        def model() -> FactorModel:
            return FactorModel(narrowed(W.solved, k), narrowed(H.solved, k), ratings, objective)

        run_epochs(alternation, self.epochs, callback, monitor(validate, patience), model)
        return model()

    def objective(self, ratings: Ratings) -> ImplicitObjective:
        """Return the loss for these ratings."""
        return ImplicitObjective(
            self.regularization,
            self.unobserved_weight,
            self.frequency_scaling,
            self.weighting,
            typical_value(*ratings.histogram()),
            self.weight_power,
        )

    def options(self) -> dict[str, Any]:
        """Return every option by name, for a manifest."""
        return dict(self.__dict__)
