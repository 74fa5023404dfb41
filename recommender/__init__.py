"""Projectionist's mathematics: factorize ratings, rank by dot product, look inside."""

from recommender.data.ratings import Ratings
from recommender.models.biased_als import BiasedALS
from recommender.models.factor_model import FactorModel
from recommender.models.implicit_als import ImplicitALS
from recommender.version import __version__

__all__ = ["BiasedALS", "FactorModel", "ImplicitALS", "Ratings", "__version__"]
