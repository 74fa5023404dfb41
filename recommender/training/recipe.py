"""What is trained: the options of both models."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from recommender.errors import InvalidOptionError
from recommender.models.biased_als import BiasedALS
from recommender.models.implicit_als import ImplicitALS
from recommender.models.sizing import regularization_for
from recommender.models.starting import check_enough

if TYPE_CHECKING:
    from recommender.data.ratings import Ratings
    from recommender.generations import Generation
    from recommender.models.bayesian_mf import BayesianMF


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


def served_ranking(served: Generation) -> ImplicitALS | None:
    """Return what ranks in a generation, unfitted; ``None`` when its manifest does not say."""
    try:
        return ImplicitALS(**served.manifest.options["ranking"])
    except (KeyError, TypeError, InvalidOptionError):
        return None


def is_same(one: ImplicitALS, other: ImplicitALS) -> bool:
    """Whether two recipes differ by no more than the size of the data, or chance, makes them."""
    return all(
        _is_close(value, other.options()[name])
        for name, value in one.options().items()
        if name not in {"seed", "threads"}
    )


_CLOSE = 0.1


def _is_close(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= _CLOSE * max(abs(one), abs(other))
    return bool(one == other)
