"""How near predicted stars are to given ones; each first line names the denominator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import as_count
from recommender.errors import InvalidInputError, TooFewRatingsError
from recommender.evaluation.checking import as_numbers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def rmse(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Root of: the sum of squared errors over the number of ratings.

    Parameters
    ----------
    predicted, actual
        (n,) finite numbers in stars, rating by rating; at least one.

    Returns
    -------
    Stars, 0 at best.

    Raises
    ------
    TooFewRatingsError
        When there are none.
    InvalidInputError
        When they are no finite numbers, or not of one length.

    Examples
    --------
    >>> rmse([3.0, 4.0], [4.0, 4.0])
    0.707106...
    """
    guessed, given = _stars(predicted, actual)
    return float(np.sqrt(np.mean(np.square(guessed - given))))


def mae(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Sum of absolute errors over the number of ratings.

    Parameters, result and errors are those of :func:`rmse`.

    Examples
    --------
    >>> mae([3.0, 4.0], [4.0, 4.0])
    0.5
    """
    guessed, given = _stars(predicted, actual)
    return float(np.mean(np.abs(guessed - given)))


def calibration_error(predicted: ArrayLike, actual: ArrayLike, bins: int = 10) -> float:
    """Sum over bins of |sum of predicted - sum of actual stars|, over the number of ratings.

    That is the gap between the mean predicted and the mean given rating of each bin, each bin
    weighted by its ratings. A model that says 4 stars where people give 3.5 on average is 0.5 off
    there, however well it ranks.

    Parameters
    ----------
    predicted, actual
        (n,) finite numbers in stars, rating by rating; at least one.
    bins
        Into how many parts of equal width the range from the lowest to the highest prediction is
        cut. With more bins, fewer ratings stand in each, and chance makes the error larger.

    Returns
    -------
    Stars, 0 at best; at most the mean absolute error.

    Raises
    ------
    TooFewRatingsError
        When there are none.
    InvalidInputError
        When they are no finite numbers, or not of one length, or ``bins`` is not 1 or more.

    References
    ----------
    The expected calibration error of Naeini, Cooper and Hauskrecht 2015, for stars.

    Examples
    --------
    In the lower half 2 is said where 3 is given on average; in the upper half all is well.

    >>> calibration_error([2, 2, 4, 4], [2, 4, 3, 5], bins=2)
    0.5
    """
    guessed, given = _stars(predicted, actual)
    bin_of = bins_of(guessed, as_count(bins, "bins"))
    return float(np.abs(np.bincount(bin_of, guessed - given)).sum() / len(guessed))


def bins_of(predicted: NDArray[np.float64], n_bins: int) -> NDArray[np.int64]:
    """(n,) int64: the bin of each prediction, from 0; all are of one width.

    Parameters
    ----------
    predicted
        (n,) float64, finite, at least one.
    n_bins
        Into how many parts the range from the lowest to the highest prediction is cut.
    """
    low, high = predicted.min(), predicted.max()
    place = (predicted - low) / (high - low) if high > low else np.zeros(len(predicted))
    # The highest prediction belongs to the last bin, whose upper end it is.
    return np.minimum((place * n_bins).astype(np.int64), n_bins - 1)


def _stars(
    predicted: ArrayLike, actual: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    guessed = as_numbers("predicted", predicted, "rating")
    given = as_numbers("actual", actual, "rating")
    if len(guessed) != len(given):
        raise InvalidInputError(
            "predicted and actual must be of one length, rating by rating; "
            f"found {len(guessed)} and {len(given)}"
        )
    if len(given) == 0:
        raise TooFewRatingsError("there are no ratings to compare; an error needs at least one")
    return guessed, given
