"""Where random numbers come from: always from a seed, so that everything can be done again."""

from __future__ import annotations

import numpy as np

from recommender.errors import InvalidInputError


def generator_of(seed: object) -> np.random.Generator:
    """Return a generator that gives the same numbers for the same seed.

    Raises
    ------
    InvalidInputError
        When the seed is no whole number of at least 0. ``None`` is none: NumPy would take it for
        "another one each time".
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InvalidInputError(f"seed must be a whole number of at least 0; found {seed!r}")
    return np.random.default_rng(seed)
