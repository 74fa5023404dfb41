"""What a search may vary, model by model: one table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.errors import InvalidOptionError
from recommender.models.by_name import MODELS, NamedModel
from recommender.models.sizing import regularization_for
from recommender.training import Recipe
from recommender.tuning.dimension import Dimension

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recommender.data.ratings import Ratings
    from recommender.models.options import Option

FULL_RANKING, LEAVE_ONE_OUT, RATING = "full-ranking", "leave-one-out", "rating"

PROTOCOLS = (FULL_RANKING, LEAVE_ONE_OUT, RATING)

REGULARIZATION, SCALING = "regularization", "frequency_scaling"

_UNTOLD = ("threads",)
"""Options that say something of a machine, and nothing of a model."""


@dataclass(frozen=True)
class Tunable:
    """A model whose options can be searched.

    Attributes
    ----------
    model
        Its name, its options, and how it is made of them.
    defaults
        What is trained with when nobody says otherwise, by name.
    dimensions
        What is searched. *Regularization* is searched at a frequency scaling of 1, and brought to
        the scaling of the trial by :func:`regularization_at`.
    protocols
        How it can be judged, the usual way first.
    longest
        Epochs after which a trial ends even if its score still rises; ``None`` for a model that
        is not trained in epochs.
    """

    model: NamedModel
    defaults: Mapping[str, Any]
    dimensions: tuple[Dimension, ...]
    protocols: tuple[str, ...]
    longest: int | None = None

    @property
    def name(self) -> str:
        """As commands and files spell it."""
        return self.model.name

    @property
    def told(self) -> tuple[str, ...]:
        """The names of all options but those of a machine."""
        return told(self.model.options)

    def within(self, name: str, low: float, high: float) -> Tunable:
        """Return the same with one whole-number option held in a range; of one value, fixed.

        Raises
        ------
        InvalidOptionError
            When the option cannot have these values, or the range is empty.
        """
        low, high = (self.model.option(name).check(value) for value in (low, high))
        if low > high:
            raise InvalidOptionError(
                f"{name}: the range {low:g}-{high:g} is empty; the smaller number comes first"
            )
        others = tuple(d for d in self.dimensions if d.name != name)
        searched = (*others, Dimension(name, low, high, log=True)) if low < high else others
        nearest = int(min(max(self.defaults[name], low), high))
        return replace(self, defaults={**self.defaults, name: nearest}, dimensions=searched)

    def check_trial(self, place: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        """Check that a search of this can have made a trial.

        Raises
        ------
        InvalidOptionError
            When an option or a dimension is missing, unknown or out of range.
        """
        for what, found, wanted in (
            ("place", place, {dimension.name for dimension in self.dimensions}),
            ("options", options, set(self.told)),
        ):
            if set(found) != wanted:
                has = ", ".join(map(str, found)) or "nothing"
                raise InvalidOptionError(
                    f"{what} must have {', '.join(sorted(wanted))}; found {has[:60]}"
                )
        for dimension in self.dimensions:
            dimension.check(place[dimension.name])
        for option in self.model.options:
            if option.name in options:
                option.check(options[option.name])

    def edges(self, place: Mapping[str, Any]) -> dict[Dimension, float]:
        """Return the dimensions where a place lies at an end of the range, and which end.

        An end that the model itself sets is none: nothing could be found beyond it.
        """
        found = {}
        for dimension in self.dimensions:
            end = dimension.edge(place[dimension.name])
            option = self.model.option(dimension.name)
            if end is not None and end not in (option.minimum, option.maximum):
                found[dimension] = end
        return found

    def sized(self, ratings: Ratings) -> Tunable:
        """Return the same with the defaults that a training of these ratings would take."""
        found = regularization_for(ratings.n_users, ratings.n_items, ratings.n_ratings)
        if self.name not in found:
            return self
        return replace(self, defaults={**self.defaults, REGULARIZATION: found[self.name]})

    def start(self, ratings: Ratings) -> dict[str, Any]:
        """Return where a search begins: the defaults, as its dimensions have them."""
        at = dict(self.defaults)
        if SCALING in at:
            at[REGULARIZATION] /= _scale(ratings, at)
        return {d.name: d.nearest(at[d.name]) for d in self.dimensions}

    def options_at(self, place: Mapping[str, Any], ratings: Ratings) -> dict[str, Any]:
        """Return all options at a place of the search, numbers to four digits."""
        chosen = dict(self.defaults) | dict(place)
        if SCALING in chosen and REGULARIZATION in place:
            chosen[REGULARIZATION] *= _scale(ratings, chosen)
        return {
            option.name: _short(option.check(chosen[option.name])) for option in self.model.options
        }


def told(options: tuple[Option, ...]) -> tuple[str, ...]:
    """Return the names of options that say something of a model, and not of a machine."""
    return tuple(option.name for option in options if option.name not in _UNTOLD)


def regularization_at(
    ratings: Ratings, strength: float, frequency_scaling: float, unobserved_weight: float = 0.0
) -> float:
    """Return the λ that regularizes as much at some ν as ``strength`` does at ν = 1.

    Rows are held by ``λ (n + α0·m)^ν``; with this λ the sum over all rows stays what it was. So
    λ and ν can be searched one beside the other: at a fixed λ, another ν would change the
    strength by orders of magnitude. Rendle, Krichene, Zhang, Koren, "Revisiting the Performance
    of iALS on Item Recommendation Benchmarks" (2021), section 4.

    Parameters
    ----------
    ratings
        The rows and columns with their numbers of ratings.
    strength
        λ at ν = 1.
    frequency_scaling, unobserved_weight
        ν and α0.

    Examples
    --------
    >>> from recommender import Ratings
    >>> ratings = Ratings.from_arrays([0, 0, 1, 1], [0, 1, 0, 1])
    >>> regularization_at(ratings, 0.1, frequency_scaling=1.0)
    0.1
    >>> regularization_at(ratings, 0.1, frequency_scaling=0.0)
    0.2
    """
    users = np.diff(ratings.indptr) + unobserved_weight * ratings.n_items
    items = np.diff(ratings.by_item.indptr) + unobserved_weight * ratings.n_users
    mass = np.concatenate((users, items)).astype(np.float64)
    mass = mass[mass > 0]
    return float(strength * mass.sum() / np.power(mass, frequency_scaling).sum())


def _scale(ratings: Ratings, options: Mapping[str, Any]) -> float:
    alpha0 = float(options.get("unobserved_weight", 0.0))
    return regularization_at(ratings, 1.0, float(options[SCALING]), alpha0)


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _tunable(
    name: str,
    dimensions: tuple[Dimension, ...],
    protocols: tuple[str, ...],
    longest: int | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Tunable:
    model = MODELS[name]
    own = {option.name: option.default for option in model.options}
    return Tunable(model, own | dict(defaults or {}), dimensions, protocols, longest)


def _words(model: str, option: str) -> Dimension:
    """Return all that an option of words, or of yes and no, can be."""
    (found,) = (each for each in MODELS[model].options if each.name == option)
    return Dimension(option, choices=found.choices or (True, False))


_RECIPE = Recipe()
_LISTS = (FULL_RANKING, LEAVE_ONE_OUT)
_STARS = (RATING, *_LISTS)

TUNABLES: dict[str, Tunable] = {
    tunable.name: tunable
    for tunable in (
        _tunable(
            "implicit-als",
            (
                Dimension("factors", 16, 256, log=True),
                Dimension(REGULARIZATION, 1e-4, 0.3, log=True),
                Dimension("unobserved_weight", 3e-3, 3.0, log=True),
                Dimension(SCALING, 0.0, 1.0, is_closed=True),
                Dimension("weight_power", 0.0, 4.0),
            ),
            _LISTS,
            longest=48,
            defaults=_RECIPE.ranking.options(),
        ),
        _tunable(
            "biased-als",
            (
                Dimension("factors", 4, 64, log=True),
                Dimension(REGULARIZATION, 0.01, 1.0, log=True),
                Dimension(SCALING, 0.0, 1.0, is_closed=True),
            ),
            _STARS,
            longest=48,
            defaults=_RECIPE.stars.options(),
        ),
        _tunable(
            "bayesian-mf",
            (Dimension("factors", 4, 128, log=True), _words("bayesian-mf", "implicit")),
            _STARS,
        ),
        _tunable("biases", (Dimension(REGULARIZATION, 0.1, 100.0, log=True),), _STARS),
        _tunable(
            "item-neighbours",
            (
                Dimension("neighbours", 10, 1000, log=True),
                Dimension("shrinkage", 0.1, 1000.0, log=True),
                _words("item-neighbours", "values"),
            ),
            _LISTS,
        ),
        _tunable(
            "ease",
            (
                Dimension(REGULARIZATION, 1.0, 10_000.0, log=True),
                _words("ease", "values"),
            ),
            _LISTS,
        ),
    )
}
"""Every model that can be tuned, by name. A further one needs a line here and nothing else."""


def tunable(name: str) -> Tunable:
    """Return a model by its name.

    Raises
    ------
    InvalidOptionError
        When it is none of those that can be tuned.
    """
    if name not in TUNABLES:
        raise InvalidOptionError(f"model must be {' or '.join(TUNABLES)}; found {name!r}")
    return TUNABLES[name]
