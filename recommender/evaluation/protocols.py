"""Experiments by name: how a model is asked, and against what its answers are held.

- :func:`rating_prediction`: stars are predicted (RMSE, MAE, calibration).
- :func:`leave_one_out`: what a user chose next is ranked among items not chosen.
- :func:`rank_catalogue`: all items are ranked without those of the training; :func:`full_ranking`
  is the same on a split, for whoever wants one k and one number a user.
- :func:`strong_generalization`: the same for users whom training never saw, from a part of their
  ratings.

Each takes a trained model and gives an :class:`Outcome`: figures, intervals over users, and counts
of what was dropped or fell back. ``projectionist evaluate`` runs them on files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recommender.arrays import as_count
from recommender.evaluation.alignment import ask
from recommender.evaluation.contestants import HistoryRanker, Ranker, StarPredictor
from recommender.evaluation.full_ranking import (
    METRICS,
    judge_rankings,
    rank_catalogue,
    strong_generalization,
)
from recommender.evaluation.leave_one_out import leave_one_out
from recommender.evaluation.outcome import Outcome
from recommender.evaluation.rating_prediction import rating_prediction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recommender.data.splitting import Split

__all__ = [
    "HistoryRanker",
    "Outcome",
    "Ranker",
    "StarPredictor",
    "full_ranking",
    "leave_one_out",
    "rank_catalogue",
    "rating_prediction",
    "strong_generalization",
]


def full_ranking(ranker: Ranker, split: Split, k: int = 10) -> dict[str, NDArray[np.float64]]:
    """Rank the whole catalogue for each user with a held-out rating.

    The items of the user's own training are left out of the ranking; every held-out rating,
    whatever its stars, is relevant. A user without a training rating gets what is popular.

    Parameters
    ----------
    ranker
        Trained on ``split.train``.
    split
        What was learned from, and what is to be found.
    k
        How many places of each list count.

    Returns
    -------
    ``{"ndcg": …, "recall": …, "capped_recall": …, "precision": …, "map": …, "mrr": …,
    "hit_rate": …}``, each (n_users with held-out ratings,), in row order: see
    :mod:`recommender.evaluation.metrics` for what they are divided by.

    Raises
    ------
    TooFewRatingsError
        When nothing is held out.
    InvalidInputError
        When ``k`` is no whole number of at least 1, or a score is not finite.
    """
    places = as_count(k, "k")
    asked = ask(split.train, split.train, split.test)
    outcome = judge_rankings(ranker.score_users, asked, [places], whole=False)
    return {name: outcome.columns[f"{name}@{places}"] for name in METRICS}
