"""Every metric by name; the first line of each names its denominator.

Lists against what is relevant, one number a user (``ranked_metrics.py``): :func:`ndcg`,
:func:`recall`, :func:`capped_recall`, :func:`precision`, :func:`hit_rate`,
:func:`average_precision`, :func:`reciprocal_rank`.

Whole rankings, one number a user (``pair_metrics.py``): :func:`auc`, from :func:`rank_sums`.

Lists by themselves (``list_metrics.py``): :func:`coverage`, :func:`gini`, :func:`novelty`,
:func:`intra_list_diversity`.

Predicted stars against given ones (``star_metrics.py``): :func:`rmse`, :func:`mae`,
:func:`calibration_error`.
"""

from recommender.evaluation.list_metrics import coverage, gini, intra_list_diversity, novelty
from recommender.evaluation.pair_metrics import auc, rank_sums
from recommender.evaluation.ranked_metrics import (
    average_precision,
    capped_recall,
    hit_rate,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
)
from recommender.evaluation.star_metrics import calibration_error, mae, rmse

__all__ = [
    "auc",
    "average_precision",
    "calibration_error",
    "capped_recall",
    "coverage",
    "gini",
    "hit_rate",
    "intra_list_diversity",
    "mae",
    "ndcg",
    "novelty",
    "precision",
    "rank_sums",
    "recall",
    "reciprocal_rank",
    "rmse",
]
