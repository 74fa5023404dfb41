"""Numbers as they are told: to some decimals, within bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from recommender.compiling import kernel


def to_decimals(
    values: Any, decimals: int, low: float = -np.inf, high: float = np.inf
) -> list[float]:
    """Return (n,) float32 values to at most six decimals, within bounds that stay as they are.

    A million times a float32 is exact in float64, so that these are the numbers that Python's
    ``round`` gives. NaN stays NaN.

    >>> to_decimals(np.array([1.23456, 7, -0.25], np.float32), 2, -0.5, 5)
    [1.23, 5.0, -0.25]
    """
    rounded = np.empty(len(values), np.float64)
    _round(values, _POWERS[decimals], float(low), float(high), rounded)
    told: list[float] = rounded.tolist()
    return told


_POWERS = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6)


@kernel
def _round(values: Any, power: Any, low: Any, high: Any, rounded: Any) -> Any:
    for place in range(len(values)):
        value = np.rint(np.float64(values[place]) * power) / power
        if value < low:
            value = low
        elif value > high:
            value = high
        rounded[place] = value
