"""Lists as a whole: diversity, novelty, calibration, and what a group can agree on."""

from recommender.reranking.calibration import divergence
from recommender.reranking.criteria import genre_distribution, self_information, taste_of
from recommender.reranking.effect import Measures, measure
from recommender.reranking.greedy import Weights, rerank
from recommender.reranking.groups import STRATEGIES, Strategy, combine, fair

__all__ = [
    "STRATEGIES",
    "Measures",
    "Strategy",
    "Weights",
    "combine",
    "divergence",
    "fair",
    "genre_distribution",
    "measure",
    "rerank",
    "self_information",
    "taste_of",
]
