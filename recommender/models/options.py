"""Every hyper-parameter once: default, range, meaning.

Constructors check against this table; the documentation and the help of the command line are
made from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from recommender.data.weighting import WEIGHTINGS
from recommender.errors import InvalidOptionError


@dataclass(frozen=True)
class Option:
    """One hyper-parameter.

    Attributes
    ----------
    name, default, meaning
        As in the constructors' signatures and documents.
    kind
        ``int``, ``float``, ``bool`` or ``str``.
    minimum, maximum
        The range, both ends allowed; ``None`` for no limit.
    choices
        The allowed words of a ``str``.
    optional
        Whether ``None`` is allowed as well.
    """

    name: str
    default: Any
    meaning: str
    kind: type
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    optional: bool = False

    @property
    def allowed(self) -> str:
        """The range in words."""
        if self.kind is bool:
            return "True or False"
        if self.choices:
            return " or ".join(f'"{choice}"' for choice in self.choices)
        noun = "a whole number" if self.kind is int else "a number"
        if self.maximum is None:
            words = noun if self.minimum is None else f"{noun} of at least {_plain(self.minimum)}"
        else:
            words = f"{noun} from {_plain(self.minimum)} to {_plain(self.maximum)}"
        return f"{words}, or None" if self.optional else words

    def check(self, value: Any) -> Any:
        """Return the value as its kind.

        Raises
        ------
        InvalidOptionError
            When it is of another kind or outside the range.
        """
        if value is None and self.optional:
            return None
        if not self._fits(value):
            raise InvalidOptionError(f"{self.name} must be {self.allowed}; found {value!r}")
        return self.kind(value)

    def _fits(self, value: Any) -> bool:
        if self.kind is bool:
            return isinstance(value, bool)
        if self.kind is str:
            return value in self.choices
        if isinstance(value, bool):
            return False
        try:
            number = float(value)
            exact = self.kind is float or int(value) == value
        except (TypeError, ValueError, OverflowError):
            return False
        return (
            exact
            and not isinstance(value, str)
            and math.isfinite(number)
            and (self.minimum is None or number >= self.minimum)
            and (self.maximum is None or number <= self.maximum)
        )


_THREADS = Option(
    "threads",
    None,
    "Cores to use; all that the process may use when not given.",
    int,
    1,
    1024,
    optional=True,
)

_SHARED = (
    Option(
        "seed",
        0,
        "Where the random start comes from; the same seed gives the same model.",
        int,
        0,
        2**32 - 1,
    ),
    _THREADS,
)

_MOMENTUM = Option(
    "momentum",
    True,
    "Whether each epoch carries on in the direction of the last one: as good in half the epochs.",
    bool,
)

IMPLICIT_ALS = (
    Option("factors", 64, "Dimensions of the embeddings.", int, 1, 2048),
    Option("regularization", 0.003, "λ: how strongly vectors are held near zero.", float, 0, 1e6),
    Option(
        "unobserved_weight",
        0.1,
        "α0: how strongly unrated pairs are pulled to zero.",
        float,
        0,
        1e6,
    ),
    Option("frequency_scaling", 1.0, "ν: how far λ grows with the number of ratings.", float, 0, 2),
    Option("epochs", 16, "Passes over all ratings.", int, 1, 10_000),
    Option("init_scale", 0.1, "Size of the random start.", float, 1e-9, 1e3),
    Option(
        "solver",
        "auto",
        "How a side is solved: exactly, by a few steps, or a few factors at a time.",
        str,
        choices=("auto", "cholesky", "conjugate_gradient", "subspace"),
    ),
    *_SHARED,
    Option(
        "weighting", "stars", "What a rating's stars do to its weight.", str, choices=WEIGHTINGS
    ),
    Option(
        "weight_power",
        2.0,
        "How steeply weights grow with stars: (stars / mean) to this power.",
        float,
        0,
        8,
    ),
    _MOMENTUM,
)

BIASED_ALS = (
    Option(
        "factors",
        15,
        "Dimensions of the embeddings; 15 and a bias fill whole vectors of the processor.",
        int,
        1,
        2048,
    ),
    Option(
        "regularization",
        0.1,
        "λ: how strongly vectors and biases are held near zero.",
        float,
        0,
        1e6,
    ),
    Option("biases", True, "Whether a mean and a bias for each user and item are learned.", bool),
    Option("epochs", 12, "Passes over all ratings.", int, 1, 10_000),
    Option("frequency_scaling", 1.0, "ν: how far λ grows with the number of ratings.", float, 0, 2),
    Option("init_scale", 0.1, "Size of the random start.", float, 1e-9, 1e3),
    *_SHARED,
    _MOMENTUM,
)

BAYESIAN_MF = (
    Option(
        "factors",
        31,
        "Dimensions of the embeddings; 31 and a bias fill whole vectors of the processor.",
        int,
        1,
        2047,
    ),
    Option("samples", 100, "Draws whose mean is the model.", int, 1, 100_000),
    Option("implicit", True, "Whether it counts what someone rated, beside the stars given.", bool),
    *_SHARED,
)

_VALUES = Option(
    "values",
    "ones",
    "What a rating is to a sum: 1 whatever its stars, or its stars.",
    str,
    choices=("ones", "stars"),
)

BIASES = (
    Option(
        "regularization",
        4.0,
        "λ: how strongly biases are held near zero, in ratings that would say zero.",
        float,
        0,
        1e6,
    ),
)

ITEM_NEIGHBOURS = (
    Option(
        "neighbours",
        100,
        "How many of the items most similar to it may add to an item's score.",
        int,
        1,
        100_000,
    ),
    Option(
        "shrinkage",
        20.0,
        "How many raters in common two items must have for half of their cosine to count.",
        float,
        0,
        1e6,
    ),
    _VALUES,
    _THREADS,
)

EASE = (
    Option(
        "regularization",
        400.0,
        "λ: how strongly the weights between items are held near zero.",
        float,
        1e-3,
        1e9,
    ),
    _VALUES,
    _THREADS,
)


def _plain(number: float | None) -> str:
    """Write 4294967295, not 4.29497e+09."""
    return f"{number:.0f}" if number is not None and number == int(number) else f"{number:g}"


def check_options(options: tuple[Option, ...], values: dict[str, Any]) -> dict[str, Any]:
    """Return the values, each checked against its option."""
    return {option.name: option.check(values[option.name]) for option in options}
