"""Ratings and options in, models and a report out; no clock, no database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import SparseRows
from recommender.data.ratings import Ratings
from recommender.data.splitting import Split, last_of_each_user
from recommender.data.vocabulary import Vocabulary
from recommender.evaluation.metrics import rmse
from recommender.evaluation.protocols import full_ranking
from recommender.evaluation.significance import bootstrap_mean
from recommender.models.baselines import Popularity
from recommender.models.biased_als import BiasedALS
from recommender.models.implicit_als import ImplicitALS

if TYPE_CHECKING:
    from recommender.models.factor_model import FactorModel

Progress = Callable[[str, int, int], None]
"""Called with the phase, the steps done and the steps to do."""


@dataclass(frozen=True)
class Recipe:
    """What is trained: the factorization that ranks, and the one that predicts stars."""

    ranking: ImplicitALS = field(
        default_factory=lambda: ImplicitALS(regularization=0.01, unobserved_weight=0.3)
    )
    stars: BiasedALS = field(default_factory=BiasedALS)

    def options(self) -> dict[str, Any]:
        """Return every option of both, for a manifest."""
        return {"ranking": self.ranking.options(), "stars": self.stars.options()}


@dataclass(frozen=True, eq=False)
class Trained:
    """Models refitted on all ratings, and what the hold-out said of their recipe.

    Attributes
    ----------
    metrics
        ``ndcg_at_10`` with ``ndcg_at_10_low`` and ``…_high`` (95 %), ``recall_at_10``,
        ``popularity_ndcg_at_10``, ``rmse``, ``held_out_ratings``, ``evaluated_users``. Empty
        when nothing could be held out.
    """

    ranking: FactorModel
    stars: FactorModel
    metrics: dict[str, float]


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
    for als in (chosen.ranking, chosen.stars):
        replace(als, epochs=1).fit(least).fold_in(["x"], [5])
        if wide:
            replace(als, epochs=1).fit(_least_of_many())


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
) -> Trained:
    """Judge the recipe on each user's last ratings, then fit it on all ratings.

    Parameters
    ----------
    ratings
        Of at least two users and two items; without timestamps nothing is held out.
    recipe
        Options of both models.
    evaluate
        Whether to hold out, which costs a second fit.
    progress
        Told what is going on.

    Raises
    ------
    TooFewRatingsError
        When there is nothing to learn from.
    """
    chosen = recipe or Recipe()
    tell = progress or (lambda _phase, _done, _total: None)
    metrics: dict[str, float] = {}
    if evaluate and ratings.timestamps is not None:
        metrics = _judge(last_of_each_user(ratings), chosen, tell)
    ranking, stars = _fit(ratings, chosen, "training on all ratings", tell)
    return Trained(ranking, stars, metrics)


def _fit(
    ratings: Ratings, recipe: Recipe, phase: str, tell: Progress
) -> tuple[FactorModel, FactorModel]:
    total = recipe.ranking.epochs + recipe.stars.epochs
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
        "recall_at_10": float(ranked["recall"].mean()),
        "popularity_ndcg_at_10": float(popular["ndcg"].mean()),
        "rmse": rmse(np.clip(predicted, low, high), split.test.values),
        "held_out_ratings": float(split.test.n_ratings),
        "evaluated_users": float(len(ranked["ndcg"])),
    }
