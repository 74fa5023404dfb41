"""Ratings and options in, models and a report out; no clock, no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from recommender.attributes import LearnedAttributes
from recommender.attributes.learned import with_bias
from recommender.data.splitting import last_of_each_user
from recommender.errors import InvalidInputError
from recommender.evaluation.gate import Thresholds, Verdict
from recommender.models.starting import check_enough
from recommender.models.turning import turn_towards
from recommender.solvers.threads import single_threaded_blas
from recommender.training.fitting import Progress, fit
from recommender.training.judging import Judge
from recommender.training.recipe import Recipe, recipe_for
from recommender.trending import Trend

if TYPE_CHECKING:
    from recommender.attributes import ItemAttributes
    from recommender.data.ratings import Ratings
    from recommender.generations import Generation
    from recommender.models.factor_model import FactorModel


@dataclass(frozen=True, eq=False)
class Trained:
    """Models refitted on all ratings, and what the hold-out said of their recipe.

    Attributes
    ----------
    metrics
        ``ndcg_at_10`` with ``ndcg_at_10_low`` and ``…_high`` (95 %), ``recall_at_10`` (hits over
        min(10, held out)), ``popularity_ndcg_at_10``, ``rmse``, ``held_out_ratings``,
        ``evaluated_users``; with another recipe that serves also ``served_ndcg_at_10``. Empty
        when nothing could be held out.
    verdict
        Whether they may take the place of the model that serves.
    attributes
        What genres, years and tags say of an item that nobody has rated; ``None`` when the
        training was not told of them.
    trend
        What was rated of late; ``None`` without timestamps.
    """

    ranking: FactorModel
    stars: FactorModel
    metrics: dict[str, float]
    verdict: Verdict = field(default_factory=Verdict)
    attributes: LearnedAttributes | None = None
    trend: Trend | None = None


def train(
    ratings: Ratings,
    recipe: Recipe | None = None,
    *,
    evaluate: bool = True,
    progress: Progress | None = None,
    items: ItemAttributes | None = None,
    served: Generation | None = None,
    thresholds: Thresholds | None = None,
    warm: bool = True,
) -> Trained:
    """Judge the recipe on each user's last ratings, then fit it on all ratings.

    Parameters
    ----------
    ratings
        Of at least two users and two items; without timestamps nothing is held out.
    recipe
        Options of both models; :func:`recipe_for` these ratings when not given.
    evaluate
        Whether to hold out, which costs a second fit.
    progress
        Told what is going on.
    items
        What is known of the items beside their ratings, in the order of ``ratings.items``: so
        that a new item gets a vector from its attributes.
    served
        The generation that serves now: what the gate compares with, where the last fit begins,
        and towards which its axes are turned. ``None`` when there is none: then nothing is
        refused, since any list is better than no list.
    thresholds
        How much worse than it is too much.
    warm
        Whether the last fit may begin from ``served`` and take half the epochs; it does where
        that has as many factors and knows most of the users and items.

    Raises
    ------
    TooFewRatingsError
        When there is nothing to learn from.
    InvalidInputError
        When ``items`` are not as many as those of the ratings.
    """
    if items is not None and len(items) != ratings.n_items:
        raise InvalidInputError(
            f"items must be the attributes of the {ratings.n_items} items that the ratings are "
            f"about, in their order; found {len(items)}"
        )
    chosen = recipe or recipe_for(ratings)
    check_enough(ratings)
    judge = Judge(chosen, served, thresholds or Thresholds(), progress or _say_nothing)
    judge.count(ratings)
    if evaluate and ratings.timestamps is not None:
        judge.hold_out(last_of_each_user(ratings))
    before = None if served is None else (served.ranking, served.stars)
    ranking, stars = fit(
        ratings, chosen, "training on all ratings", judge.tell, before if warm else None
    )
    if before is not None:
        ranking, stars = (
            new if old is None else turn_towards(new, old)
            for new, old in zip((ranking, stars), before, strict=True)
        )
    attributes = None
    if items is not None:
        judge.tell("learning from attributes", 0, 1)
        attributes = _learn(items, ranking, stars)
        judge.tell("learning from attributes", 1, 1)
    return Trained(ranking, stars, judge.metrics, judge.verdict(), attributes, Trend.of(ratings))


def _say_nothing(_phase: str, _done: int, _total: int) -> None:
    pass


def _learn(items: ItemAttributes, ranking: FactorModel, stars: FactorModel) -> LearnedAttributes:
    """Learn what attributes say of both models' vectors."""
    vectors = (with_bias(model.item_factors, model.item_biases) for model in (ranking, stars))
    n_ratings = np.diff(ranking.ratings.by_item.indptr)
    with single_threaded_blas():  # so that no bit depends on how many cores there are
        return LearnedAttributes.fit(items, n_ratings, *vectors)
