"""Every model by the name that commands and reports give it: its class, its options, what it does.

A class is imported when it is asked for, so that a command which needs one model does not wait
for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from recommender.errors import InvalidOptionError
from recommender.models.options import (
    BAYESIAN_MF,
    BIASED_ALS,
    BIASES,
    EASE,
    IMPLICIT_ALS,
    ITEM_NEIGHBOURS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recommender.models.options import Option


@dataclass(frozen=True)
class NamedModel:
    """One kind of model.

    Attributes
    ----------
    name
        As commands spell it.
    place
        ``module:class``, below ``recommender.models``.
    options
        Its hyper-parameters.
    ranks, folds_in, predicts_stars
        Whether what is trained has ``score_users``, ``score_histories`` and ``predict``.
    serves
        Which half of a generation it can be: ``"ranking"``, ``"stars"`` or, empty, neither.
    """

    name: str
    place: str
    options: tuple[Option, ...]
    ranks: bool = False
    folds_in: bool = False
    predicts_stars: bool = False
    serves: str = ""

    @property
    def is_random(self) -> bool:
        """Whether another seed gives another model."""
        return any(option.name == "seed" for option in self.options)

    def option(self, name: str) -> Option:
        """Return one of the hyper-parameters.

        Raises
        ------
        InvalidOptionError
            When the model has none of that name.
        """
        for option in self.options:
            if option.name == name:
                return option
        has = ", ".join(option.name for option in self.options)
        raise InvalidOptionError(f"{name} is no option of {self.name}; it has {has or 'none'}")

    def make(self, given: Mapping[str, Any]) -> Any:
        """Return what has ``fit``.

        Parameters
        ----------
        given
            Options by name; the others have their defaults.

        Raises
        ------
        InvalidOptionError
            When an option is not one of this model, or a value is out of its range.
        """
        module, _, name = self.place.partition(":")
        kind = getattr(import_module(f"recommender.models.{module}"), name)
        for option in given:
            self.option(option)
        # What has no options is fitted by its class.
        return kind(**given) if self.options else kind

    def has_made(self, thing: Any) -> bool:
        """Say whether :meth:`make` returns such things."""
        kind = thing if isinstance(thing, type) else type(thing)
        return f"{kind.__module__}:{kind.__qualname__}" == f"recommender.models.{self.place}"

    def options_of(self, made: Any) -> dict[str, Any]:
        """Return every option of what :meth:`make` returned."""
        return {option.name: getattr(made, option.name) for option in self.options}


MODELS = {
    model.name: model
    for model in (
        NamedModel(
            "implicit-als", "implicit_als:ImplicitALS", IMPLICIT_ALS,
            ranks=True, folds_in=True, serves="ranking",
        ),
        NamedModel(
            "biased-als", "biased_als:BiasedALS", BIASED_ALS,
            ranks=True, folds_in=True, predicts_stars=True, serves="stars",
        ),
        NamedModel(
            "bayesian-mf", "bayesian_mf:BayesianMF", BAYESIAN_MF,
            ranks=True, folds_in=True, predicts_stars=True, serves="stars",
        ),
        NamedModel("popularity", "baselines:Popularity", (), ranks=True, folds_in=True),
        NamedModel(
            "biases", "baselines:Biases", BIASES, ranks=True, folds_in=True, predicts_stars=True
        ),
        NamedModel(
            "item-neighbours", "item_neighbours:ItemNeighbours", ITEM_NEIGHBOURS,
            ranks=True, folds_in=True,
        ),
        NamedModel("ease", "ease:EASE", EASE, ranks=True, folds_in=True),
    )
}  # fmt: skip
"""All of them, the factorizations first."""


def named_model(name: str) -> NamedModel:
    """Return one of :data:`MODELS`.

    Raises
    ------
    InvalidOptionError
        When there is none of that name.
    """
    if name not in MODELS:
        raise InvalidOptionError(f"no model {name!r}; known are: {', '.join(MODELS)}")
    return MODELS[name]
