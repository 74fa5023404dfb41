"""Stars by a Bayesian factorization: no regularization to choose, and intervals."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

from recommender.models.options import BAYESIAN_MF, check_options
from recommender.models.posterior_chain import Chain
from recommender.models.starting import check_enough
from recommender.solvers.threads import single_threaded_blas

if TYPE_CHECKING:
    from collections.abc import Callable

    from recommender.data.ratings import Ratings
    from recommender.models.factor_model import FactorModel

_BEFORE = 16
"""Draws that are thrown away: the start is forgotten after about ten."""


@dataclass(frozen=True)
class BayesianMF:
    """Predict stars as the mean over draws from the posterior: ``μ + b_u + b_i + w_u·h_i``.

    Every option is explained, with its range, in :mod:`recommender.models.options`. All else is
    drawn, so that there is no regularization to choose: see :mod:`recommender.models.gibbs`.
    With ``implicit``, which items someone rated speaks beside the stars (SVD++), and likewise
    who rated an item. Where there are timestamps, moments have biases.

    Raises
    ------
    InvalidOptionError
        When an option is outside its range.
    """

    factors: int = 31
    samples: int = 100
    implicit: bool = True
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        for name, value in check_options(BAYESIAN_MF, self.__dict__).items():
            object.__setattr__(self, name, value)

    def fit(
        self,
        ratings: Ratings,
        callback: Callable[[int, float, float | None], None] | None = None,
    ) -> FactorModel:
        """Draw, and bring the draws together.

        Parameters
        ----------
        ratings
            At least two users and two items; the values are what is predicted.
        callback
            Called after each draw with its number (from 1), its seconds, and the mean squared
            residual of that draw, which wanders and does not fall.

        Returns
        -------
        A frozen model whose user vectors are what folding in gives, so that a new user gets the
        vector that training would give. It also gives intervals, and with timestamps in the
        ratings it takes timestamps of predictions.

        Raises
        ------
        TooFewRatingsError
            When there is nothing to learn from.
        """
        check_enough(ratings)
        with single_threaded_blas():  # so that no bit depends on how many cores there are
            chain = Chain(
                ratings, self.factors, self.samples, self.implicit, self.seed, self.threads
            )
            for number in range(1, self.steps + 1):
                started = perf_counter()
                loss = chain.sweep(number)
                if number > _BEFORE:
                    chain.keep()
                if callback is not None:
                    callback(number, perf_counter() - started, loss)
            return chain.model()

    @property
    def steps(self) -> int:
        """How often the callback is called."""
        return _BEFORE + self.samples

    def options(self) -> dict[str, Any]:
        """Return every option by name, for a manifest."""
        return dict(self.__dict__)
