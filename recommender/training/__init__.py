"""Ratings and options in, models and a report out; no clock, no database."""

from recommender.evaluation.gate import Thresholds, Verdict
from recommender.training.fitting import Progress
from recommender.training.preparing import prepare
from recommender.training.recipe import Recipe, recipe_for
from recommender.training.running import Trained, train

__all__ = [
    "Progress",
    "Recipe",
    "Thresholds",
    "Trained",
    "Verdict",
    "prepare",
    "recipe_for",
    "train",
]
