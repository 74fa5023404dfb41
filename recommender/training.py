"""Ratings and options in, models and a report out; no clock, no database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import SparseRows
from recommender.attributes import LearnedAttributes
from recommender.attributes.learned import with_bias
from recommender.data.ratings import Ratings
from recommender.data.splitting import Split, last_of_each_user
from recommender.data.vocabulary import Vocabulary
from recommender.errors import InvalidInputError
from recommender.evaluation.metrics import rmse
from recommender.evaluation.protocols import full_ranking
from recommender.evaluation.significance import bootstrap_mean
from recommender.models.baselines import Popularity
from recommender.models.bayesian_mf import BayesianMF
from recommender.models.biased_als import BiasedALS
from recommender.models.implicit_als import ImplicitALS
from recommender.models.sizing import regularization_for
from recommender.models.starting import check_enough
from recommender.solvers.threads import single_threaded_blas
from recommender.trending import Trend

if TYPE_CHECKING:
    from recommender.attributes import ItemAttributes
    from recommender.models.factor_model import FactorModel

Progress = Callable[[str, int, int], None]
"""Called with the phase, the steps done and the steps to do."""


@dataclass(frozen=True)
class Recipe:
    """What is trained: the factorization that ranks, and the one that predicts stars."""

    ranking: ImplicitALS = field(
        default_factory=lambda: ImplicitALS(regularization=0.01, unobserved_weight=0.3)
    )
    stars: BiasedALS | BayesianMF = field(default_factory=BiasedALS)

    def options(self) -> dict[str, Any]:
        """Return every option of both, for a manifest."""
        return {"ranking": self.ranking.options(), "stars": self.stars.options()}


def recipe_for(ratings: Ratings) -> Recipe:
    """Return what is trained when nobody says otherwise: regularized as their size asks for.

    Raises
    ------
    TooFewRatingsError
        When there is nothing to learn from.
    """
    check_enough(ratings)
    sized = regularization_for(ratings.n_users, ratings.n_items, ratings.n_ratings)
    base = Recipe()
    return Recipe(
        replace(base.ranking, regularization=sized["implicit-als"]),
        BiasedALS(regularization=sized["biased-als"]),
    )


@dataclass(frozen=True, eq=False)
class Trained:
    """Models refitted on all ratings, and what the hold-out said of their recipe.

    Attributes
    ----------
    metrics
        ``ndcg_at_10`` with ``ndcg_at_10_low`` and ``…_high`` (95 %), ``recall_at_10`` (hits over
        min(10, held out)), ``popularity_ndcg_at_10``, ``rmse``, ``held_out_ratings``,
        ``evaluated_users``. Empty when nothing could be held out.
    attributes
        What genres, years and tags say of an item that nobody has rated; ``None`` when the
        training was not told of them.
    trend
        What was rated of late; ``None`` without timestamps.
    """

    ranking: FactorModel
    stars: FactorModel
    metrics: dict[str, float]
    attributes: LearnedAttributes | None = None
    trend: Trend | None = None


def prepare(recipe: Recipe | None = None, *, wide: bool = False) -> None:
    """Compile what the recipe needs, or load it from the cache, so that nobody waits for it later.

    Numba compiles on first use; so this is a first use, of next to no ratings.

    Parameters
    ----------
    recipe
        Options of both models.
    wide
        Also what is needed from 65,537 users or items on, whose numbers take 32 bits.
    """
    chosen = recipe or Recipe()
    least = Ratings.from_arrays(list("aabb"), list("xyxy"), [3, 4, 5, 3], [1, 2, 3, 4])
    last_of_each_user(least)
    _rank(least)
    if wide:
        _rank(_least_of_many())
    for model in (chosen.ranking, chosen.stars):
        short = _shortened(model)
        _ask(short.fit(least))
        if wide:
            _ask(short.fit(_least_of_many()))


def _shortened(
    model: ImplicitALS | BiasedALS | BayesianMF,
) -> ImplicitALS | BiasedALS | BayesianMF:
    if isinstance(model, BayesianMF):
        return replace(model, samples=1)
    return replace(model, epochs=1)


def _ask(model: FactorModel) -> None:
    """Ask for lists in every way, and for a new item's vector, to have that compiled."""
    ids = model.user_ids[:1], model.item_ids[:1]
    model.recommend_batch(ids[0], 1)
    model.recommend(ids[0][0], 1, mask=np.ones(len(model.items), np.bool_))
    model.fold_in(ids[1], [5]).explain(ids[1][0])
    model.fold_in(ids[1], [5]).recommend(1, exclude_seen=False)
    model.fold_in_item(ids[0], [5])


def _rank(ratings: Ratings) -> None:
    """Rank once, to have it compiled: as if every other rating were held out."""
    known = np.arange(ratings.n_ratings) % 2 == 0
    train = ratings.select(known)
    full_ranking(Popularity.fit(train), Split(train, ratings.select(~known)))


def _least_of_many() -> Ratings:
    """Return next to no ratings of so many users and items that their numbers take 32 bits."""
    ids = Vocabulary(np.arange(np.iinfo(np.uint16).max + 2))
    indptr = np.minimum(np.arange(len(ids) + 1) * 2, 4)
    indices, stars = np.array([0, 1, 0, 1], np.int32), np.array([3, 4, 5, 3], np.float32)
    return Ratings(ids, ids, SparseRows.of(indptr, indices, stars, len(ids)))


def train(
    ratings: Ratings,
    recipe: Recipe | None = None,
    *,
    evaluate: bool = True,
    progress: Progress | None = None,
    items: ItemAttributes | None = None,
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
    tell = progress or (lambda _phase, _done, _total: None)
    metrics: dict[str, float] = {}
    if evaluate and ratings.timestamps is not None:
        metrics = _judge(last_of_each_user(ratings), chosen, tell)
    ranking, stars = _fit(ratings, chosen, "training on all ratings", tell)
    attributes = None
    if items is not None:
        tell("learning from attributes", 0, 1)
        attributes = _learn(items, ranking, stars)
        tell("learning from attributes", 1, 1)
    return Trained(ranking, stars, metrics, attributes, Trend.of(ratings))


def _learn(items: ItemAttributes, ranking: FactorModel, stars: FactorModel) -> LearnedAttributes:
    """Learn what attributes say of both models' vectors."""
    vectors = (with_bias(model.item_factors, model.item_biases) for model in (ranking, stars))
    n_ratings = np.diff(ranking.ratings.by_item.indptr)
    with single_threaded_blas():  # so that no bit depends on how many cores there are
        return LearnedAttributes.fit(items, n_ratings, *vectors)


def _fit(
    ratings: Ratings, recipe: Recipe, phase: str, tell: Progress
) -> tuple[FactorModel, FactorModel]:
    total = recipe.ranking.epochs + recipe.stars.steps
    tell(phase, 0, total)
    ranking = recipe.ranking.fit(ratings, lambda epoch, _s, _l: tell(phase, epoch, total))
    done = recipe.ranking.epochs
    stars = recipe.stars.fit(ratings, lambda epoch, _s, _l: tell(phase, done + epoch, total))
    return ranking, stars


def _judge(split: Split, recipe: Recipe, tell: Progress) -> dict[str, float]:
    """Measure the recipe on held-out ratings; nothing when there are none to hold out."""
    if split.test.n_ratings == 0:
        return {}
    ranking, stars = _fit(split.train, recipe, "training on the past", tell)
    tell("evaluating on what came after", 0, 1)
    ranked = full_ranking(ranking, split)
    popular = full_ranking(Popularity.fit(split.train), split)
    interval = bootstrap_mean(ranked["ndcg"])
    predicted = stars.predict(
        split.test.users.ids[split.test.user_rows], split.test.items.ids[split.test.indices]
    )
    low, high = float(split.train.values.min()), float(split.train.values.max())
    tell("evaluating on what came after", 1, 1)
    return {
        "ndcg_at_10": interval.mean,
        "ndcg_at_10_low": interval.low,
        "ndcg_at_10_high": interval.high,
        "recall_at_10": float(ranked["capped_recall"].mean()),
        "popularity_ndcg_at_10": float(popular["ndcg"].mean()),
        "rmse": rmse(np.clip(predicted, low, high), split.test.values),
        "held_out_ratings": float(split.test.n_ratings),
        "evaluated_users": float(len(ranked["ndcg"])),
    }
