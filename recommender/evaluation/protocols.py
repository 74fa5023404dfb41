"""Experiments by name: how a model is asked, and against what its answers are held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from recommender.evaluation.metrics import ndcg, recall
from recommender.top_k import top_k

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Scores
    from recommender.data.splitting import Split


class Ranker(Protocol):
    """What a full ranking asks of a model."""

    def score_user(self, user_row: int) -> Scores:
        """(n_items,) float32: the score of every item for one user."""


def full_ranking(ranker: Ranker, split: Split, k: int = 10) -> dict[str, NDArray[np.float64]]:
    """Rank the whole catalogue for each user with a held-out rating.

    The items of the user's own training are left out of the ranking; every held-out rating,
    whatever its stars, is relevant.

    Returns
    -------
    ``{"ndcg": …, "recall": …}``, each (n_users with held-out ratings,), in row order.
    """
    gains: dict[str, list[float]] = {"ndcg": [], "recall": []}
    for user in range(split.test.n_users):
        relevant, _ = split.test.of_user(user)
        if not len(relevant):
            continue
        allowed = np.ones(split.train.n_items, dtype=np.bool_)
        allowed[split.train.of_user(user)[0]] = False
        best = top_k(ranker.score_user(user), k, allowed)
        hits = np.isin(best, relevant)
        gains["ndcg"].append(ndcg(hits, len(relevant), k))
        gains["recall"].append(recall(hits, len(relevant), k))
    return {name: np.array(values) for name, values in gains.items()}
