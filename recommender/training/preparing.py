"""Compiling what a training needs before it begins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import SparseRows
from recommender.data.ratings import Ratings
from recommender.data.splitting import Split, last_of_each_user
from recommender.data.vocabulary import Vocabulary
from recommender.evaluation.protocols import full_ranking
from recommender.models.baselines import Popularity
from recommender.models.bayesian_mf import BayesianMF
from recommender.training.recipe import Recipe

if TYPE_CHECKING:
    from recommender.models.biased_als import BiasedALS
    from recommender.models.factor_model import FactorModel
    from recommender.models.implicit_als import ImplicitALS


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
