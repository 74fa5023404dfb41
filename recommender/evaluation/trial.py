"""What a hold-out says of models that were fitted on what came before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.evaluation.metrics import rmse
from recommender.evaluation.protocols import full_ranking
from recommender.evaluation.significance import bootstrap_mean
from recommender.models.baselines import Popularity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.data.splitting import Split
    from recommender.evaluation.significance import Interval
    from recommender.models.factor_model import FactorModel


@dataclass(frozen=True, eq=False)
class Trial:
    """The figures of one pair of models.

    Attributes
    ----------
    interval
        NDCG@10 with the range that holds it for other users of the same kind.
    ndcg, popularity_ndcg
        (n_users,) NDCG@10 of each user with held-out ratings, of the model and of popularity.
    metrics
        By name, for a manifest.
    """

    interval: Interval
    ndcg: NDArray[np.float64]
    popularity_ndcg: NDArray[np.float64]
    metrics: dict[str, float]


def try_models(ranking: FactorModel, stars: FactorModel, split: Split) -> Trial:
    """Ask models of the past for what came after.

    Parameters
    ----------
    ranking, stars
        Fitted on ``split.train``.
    split
        With at least one rating in ``test``.
    """
    ranked = full_ranking(ranking, split)
    popular = full_ranking(Popularity.fit(split.train), split)
    interval = bootstrap_mean(ranked["ndcg"])
    predicted = stars.predict(
        split.test.users.ids[split.test.user_rows], split.test.items.ids[split.test.indices]
    )
    low, high = float(split.train.values.min()), float(split.train.values.max())
    metrics = {
        "ndcg_at_10": interval.mean,
        "ndcg_at_10_low": interval.low,
        "ndcg_at_10_high": interval.high,
        "recall_at_10": float(ranked["capped_recall"].mean()),
        "popularity_ndcg_at_10": float(popular["ndcg"].mean()),
        "rmse": rmse(np.clip(predicted, low, high), split.test.values),
        "held_out_ratings": float(split.test.n_ratings),
        "evaluated_users": float(len(ranked["ndcg"])),
    }
    return Trial(interval, ranked["ndcg"], popular["ndcg"], metrics)
