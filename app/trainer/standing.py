"""What is trained when nobody is there to say: what somebody chose last, or what the size asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recommender.errors import GenerationError, InvalidOptionError
from recommender.generations import current_number, generation_path, read_manifest
from recommender.models.bayesian_mf import BayesianMF
from recommender.models.biased_als import BiasedALS
from recommender.models.implicit_als import ImplicitALS
from recommender.training import Recipe, recipe_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from recommender import Ratings


def standing_recipe(models_dir: Path) -> tuple[Callable[[Ratings], Recipe], bool]:
    """Return what to train, given the ratings, and whether somebody chose it.

    The options of the generation that serves are taken again when somebody chose them; so they
    are after a roll-back, too: what was undone stays undone.
    """
    try:
        number = current_number(models_dir)
        if number is None:
            return recipe_for, False
        manifest = read_manifest(generation_path(models_dir, number))
        if not manifest.tuned:
            return recipe_for, False
        recipe = _recipe(manifest.options)
    except (GenerationError, InvalidOptionError, KeyError, TypeError):
        return recipe_for, False
    return lambda _ratings: recipe, True


def _recipe(options: dict[str, Any]) -> Recipe:
    stars = options["stars"]
    kind = BayesianMF if "samples" in stars else BiasedALS
    return Recipe(ImplicitALS(**options["ranking"]), kind(**stars))
