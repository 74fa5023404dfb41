"""What metrics and intervals refuse, because a figure from it would look like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def as_numbers(name: str, given: ArrayLike, each: str) -> NDArray[np.float64]:
    """(n,) float64: finite numbers, one a user or one a rating, as ``each`` says.

    Raises
    ------
    InvalidInputError
        When they are no numbers, not one-dimensional or not finite.
    """
    try:
        numbers = np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{name} must be numbers: {error}") from None
    if numbers.ndim != 1:
        raise InvalidInputError(
            f"{name} must be one-dimensional, one number a {each}; found the shape {numbers.shape}"
        )
    finite = np.isfinite(numbers)
    if not finite.all():
        row = int(np.argmin(finite))
        raise InvalidInputError(f"{name}[{row}] is {numbers[row]}; only finite numbers are allowed")
    return numbers


def as_counts(name: str, given: NDArray[Any], n_users: int) -> NDArray[np.int64]:
    """(n_users,) int64: whole numbers of at least 1.

    Raises
    ------
    InvalidInputError
        When they are no whole numbers, not one a user, or below 1.
    """
    if given.dtype.kind not in "iu" or given.shape != (n_users,):
        raise InvalidInputError(
            f"{name} must be {n_users} whole numbers, one a user; "
            f"found {given.dtype} of the shape {given.shape}"
        )
    if (given < 1).any():
        user = int(np.argmax(given < 1))
        raise InvalidInputError(
            f"{name}[{user}] is {given[user]}; only whole numbers of at least 1 are allowed: "
            "leave out users who have none"
        )
    return given.astype(np.int64, copy=False)
