"""How much a rating counts when movies are ranked.

The loss of the ranking factorization pulls the score of every rated movie towards 1 with a
weight c, and every score towards 0 with the weight α0. A movie rated with the weight c ends up
near c / (c + α0): the weight is what makes five stars a stronger yes than three, and half a star
hardly a yes at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Weighting = Literal["stars", "uniform"]

WEIGHTINGS: tuple[Weighting, ...] = ("stars", "uniform")


def typical_value(levels: NDArray[np.float32], counts: NDArray[np.int64]) -> float:
    """Return the mean of the positive values: the rating that shall count as 1.

    Parameters
    ----------
    levels, counts
        (n_levels,) the values that there are, and how many ratings have each.
    """
    counted = (levels > 0) & (counts > 0)
    if not counted.any():
        return 1.0
    return float(np.average(levels[counted].astype(np.float64), weights=counts[counted]))


def confidence(
    values: NDArray[np.float32], weighting: Weighting, typical: float, power: float = 2.0
) -> NDArray[np.float32]:
    """Return the weight c of each rating.

    Parameters
    ----------
    values
        (n,) stars, or any other strength.
    weighting
        ``"stars"``: a power of the value in units of the typical value. On a scale of half
        to five stars with a mean of 3.5, by the square five stars count as 2, two as a third,
        half a star as a fiftieth; without values every rating counts as 1.
        ``"uniform"``: every rating counts as 1, whatever its stars: to have watched is what
        counts.
    typical
        The value that counts as 1, from :func:`typical_value` of the training.
    power
        At least 0. At 0 all positive values count as 1.

    Returns
    -------
    (n,) float32, none below 0; a value of 0 or less counts as 0.
    """
    if weighting == "uniform":
        return np.ones(len(values), dtype=np.float32)
    with np.errstate(over="ignore"):  # infinite weights are refused where they are used
        relative = np.maximum(values, 0) / np.float32(typical)
        powers = np.power(relative, np.float32(power), dtype=np.float32)
    return np.where(relative > 0, powers, np.float32(0))
