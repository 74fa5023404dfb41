"""What every file of this room needs: its checks, directions, and which of equals comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

TIE = 1e-9
"""Values nearer than this are equal: sums that are the same on paper may differ in their last bits,
depending on the order in which a processor adds."""


def as_finite(
    values: ArrayLike, name: str, shape: tuple[int | None, ...], least: float | None = None
) -> NDArray[np.float64]:
    """Return finite float64 numbers of a shape.

    Parameters
    ----------
    values
        What was handed in.
    name
        What the caller calls it, for the message.
    shape
        The length of each axis; ``None`` where any will do.
    least
        The smallest number that is allowed; ``None`` allows all.

    Raises
    ------
    InvalidInputError
        When they are not numbers, of another shape, not finite, or too small.
    """
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{name} must be numbers: {error}") from None
    asked = zip(shape, numbers.shape, strict=False)
    if numbers.ndim != len(shape) or any(n not in (None, found) for n, found in asked):
        axes = ", ".join("any" if n is None else str(n) for n in shape)
        raise InvalidInputError(f"{name} must have the shape ({axes}); found {numbers.shape}")
    fits = np.isfinite(numbers)
    if least is not None:
        fits &= numbers >= least
    if not fits.all():
        where = np.unravel_index(int(np.argmin(fits)), numbers.shape)
        at = f"[{', '.join(str(int(axis)) for axis in where)}]" if where else ""
        limit = "" if least is None else f" of at least {least:g}"
        raise InvalidInputError(
            f"{name}{at} is {numbers[where]}; only finite numbers{limit} are allowed"
        )
    return numbers


def as_shares(values: ArrayLike, name: str, shape: tuple[int | None, ...]) -> NDArray[np.float64]:
    """Return one distribution, or one a row: float64 of at least 0 that sum to no more than 1.

    Raises
    ------
    InvalidInputError
        When they are none, as counts would be.
    """
    shares = as_finite(values, name, shape, least=0)
    sums = shares.sum(axis=-1)
    if (sums > 1 + 1e-6).any():
        raise InvalidInputError(
            f"{name} must be shares that sum to at most 1; found the sum {sums.max():g}"
        )
    return shares


def directions_of(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m, k) vectors made of length 1, so that a dot product is a cosine.

    A zero vector stays one: it points nowhere and is similar to none.
    """
    norms = np.sqrt(np.einsum("mk,mk->m", vectors, vectors))
    norms[norms == 0] = 1.0
    directions: NDArray[np.float64] = vectors / norms[:, None]
    return directions


def first_of_the_best(values: NDArray[np.float64]) -> int:
    """Return the smallest place whose value is the largest, or as good as that."""
    return int(np.argmax(values >= values.max() - TIE))
