"""Ending a training when a score on ratings held out rises no more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import as_count
from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recommender.models.factor_model import FactorModel


def monitor(validate: Callable[[FactorModel], float] | None, patience: int) -> Monitor | None:
    """Return what watches a training, where one shall be watched."""
    wait = as_count(patience, "patience")
    return None if validate is None else Monitor(validate, wait)


@dataclass(eq=False)
class Monitor:
    """Stop when a score on ratings held out has not risen for some epochs; keep the best.

    Attributes
    ----------
    validate
        Larger is better.
    patience
        Epochs without a new best score before training stops.
    """

    validate: Callable[[FactorModel], float]
    patience: int
    best_score: float = -np.inf
    waited: int = 0
    best: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))

    def is_enough(self, model: FactorModel, items: NDArray[np.float32]) -> bool:
        """Judge the model of an epoch."""
        score = float(self.validate(model))
        if np.isnan(score):
            raise InvalidInputError(
                "validate returned NaN; a number was expected, larger is better"
            )
        if score > self.best_score or len(self.best) == 0:  # the first counts, even at -inf
            self.best_score, self.waited, self.best = score, 0, items.copy()
        else:
            self.waited += 1
        return self.waited >= self.patience
