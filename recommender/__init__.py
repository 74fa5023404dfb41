"""Projectionist's mathematics: factorize ratings, rank by dot product, look inside."""

from recommender.data.ratings import Ratings
from recommender.generations import Generation, load_generation
from recommender.models.bayesian_mf import BayesianMF
from recommender.models.biased_als import BiasedALS
from recommender.models.factor_model import FactorModel
from recommender.models.implicit_als import ImplicitALS
from recommender.version import __version__

__all__ = [
    "BayesianMF",
    "BiasedALS",
    "FactorModel",
    "Generation",
    "ImplicitALS",
    "Ratings",
    "__version__",
    "load_generation",
]
