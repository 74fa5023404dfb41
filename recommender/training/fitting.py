"""Fitting both models, from those before where that saves epochs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from recommender.models.biased_als import BiasedALS
from recommender.models.implicit_als import ImplicitALS

if TYPE_CHECKING:
    from recommender.data.ratings import Ratings
    from recommender.data.vocabulary import Vocabulary
    from recommender.models.factor_model import FactorModel
    from recommender.training.recipe import Recipe

Model = TypeVar("Model", ImplicitALS, BiasedALS)

Progress = Callable[[str, int, int], None]
"""Called with the phase, the steps done and the steps to do."""


def fit(
    ratings: Ratings,
    recipe: Recipe,
    phase: str,
    tell: Progress,
    before: tuple[FactorModel, FactorModel | None] | None = None,
) -> tuple[FactorModel, FactorModel]:
    """Fit both models; from those before where that saves epochs."""
    starts = before or (None, None)
    rank, star = recipe.ranking, recipe.stars
    rank_start = starts[0] if _is_near(rank.factors, starts[0], ratings) else None
    star_start = starts[1] if _is_near(star.factors, starts[1], ratings) else None
    if rank_start is not None:
        rank = _halved(rank)
    if star_start is not None and isinstance(star, BiasedALS):
        star = _halved(star)
    total = rank.epochs + star.steps
    tell(phase, 0, total)
    ranking = rank.fit(ratings, lambda epoch, _s, _l: tell(phase, epoch, total), start=rank_start)
    done = rank.epochs

    def step(epoch: int, _seconds: float, _loss: float | None) -> None:
        tell(phase, done + epoch, total)

    if isinstance(star, BiasedALS):
        return ranking, star.fit(ratings, step, start=star_start)
    return ranking, star.fit(ratings, step)


_KNOWN = 0.8
"""Which part of the users and items a model must know for a training to begin from it."""


def _is_near(factors: int, start: FactorModel | None, ratings: Ratings) -> bool:
    if start is None or start.n_factors != factors:
        return False
    return all(
        common(ids, known) >= _KNOWN * len(ids)
        for ids, known in ((ratings.users, start.users), (ratings.items, start.items))
    )


def _halved(model: Model) -> Model:
    """Return it with half the epochs: docs/decisions/0020 has the curves."""
    return replace(model, epochs=(model.epochs + 1) // 2)


def common(ids: Vocabulary, known: Vocabulary) -> int:
    """Count the ids that another vocabulary knows."""
    return int((known.rows(ids.ids) >= 0).sum())
