"""Errors of stars equal their twins of a few lines."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import InvalidInputError, TooFewRatingsError
from recommender.evaluation.metrics import calibration_error, mae, rmse


def slow_calibration_error(predicted, actual, bins):
    low, high, gaps = min(predicted), max(predicted), {}
    for guess, given_ in zip(predicted, actual, strict=True):
        place = (guess - low) / (high - low) * bins if high > low else 0
        gaps.setdefault(min(math.floor(place), bins - 1), []).append(guess - given_)
    means = [(abs(sum(gap) / len(gap)), len(gap)) for gap in gaps.values()]
    return sum(mean * n for mean, n in means) / len(predicted)


stars = st.integers(1, 10).map(lambda half: half / 2)
guesses = st.one_of(stars, st.floats(0.5, 5, width=32))
pairs = st.lists(st.tuples(guesses, stars), min_size=1, max_size=40)


@given(pairs, st.integers(1, 12))
def test_each_equals_its_twin(given_, bins):
    predicted, actual = zip(*given_, strict=True)
    gaps = [guess - star for guess, star in given_]
    assert rmse(predicted, actual) == pytest.approx(math.sqrt(sum(g * g for g in gaps) / len(gaps)))
    assert mae(predicted, actual) == pytest.approx(sum(map(abs, gaps)) / len(gaps))
    found = calibration_error(predicted, actual, bins)
    assert found == pytest.approx(slow_calibration_error(predicted, actual, bins))
    assert 0 <= found <= mae(predicted, actual) + 1e-12 <= rmse(predicted, actual) + 1e-9


def test_whole_numbers_and_narrow_floats_are_numbers():
    assert rmse(np.array([1, 5]), np.array([4, 1])) == pytest.approx(math.sqrt((9 + 16) / 2))
    assert mae(np.float32([1, 5]), np.array([4, 1], np.uint8)) == 3.5
    # In float32 a million errors of 0.1 do not add up to 100,000.
    many = np.full(1_000_000, 3.1, np.float32)
    assert mae(many, np.full(len(many), 3, np.float32)) == pytest.approx(0.1, rel=1e-6)


def test_errors_that_cancel_are_well_calibrated():
    predicted, actual = [3, 3, 4, 4], [2, 4, 5, 3]
    assert calibration_error(predicted, actual) == 0
    assert mae(predicted, actual) == 1
    assert calibration_error([3, 4], [4, 3], bins=1) == 0
    assert calibration_error([3, 4], [4, 3], bins=2) == 1


def test_the_highest_prediction_is_in_the_last_bin():
    """Alone in a bin of its own its gap would count in full; with 3.9 it cancels."""
    assert calibration_error([1, 3.9, 4], [1, 4.4, 3.5], bins=3) == pytest.approx(0)


@pytest.mark.parametrize("metric", [rmse, mae, calibration_error])
def test_bad_stars_are_refused(metric):
    with pytest.raises(TooFewRatingsError, match="at least one"):
        metric([], [])
    with pytest.raises(InvalidInputError, match="one length, rating by rating; found 2 and 1"):
        metric([1, 2], [1])
    with pytest.raises(InvalidInputError, match=r"predicted\[1\] is nan"):
        metric([1, np.nan], [1, 2])
    with pytest.raises(InvalidInputError, match=r"actual\[0\] is inf"):
        metric([1, 2], [np.inf, 2])
    with pytest.raises(InvalidInputError, match=r"found the shape \(1, 1\)"):
        metric([[1]], [[1]])
    with pytest.raises(InvalidInputError, match="actual must be numbers"):
        metric([1], ["good"])


@pytest.mark.parametrize("bins", [0, 2.5, True])
def test_senseless_bins_are_refused(bins):
    with pytest.raises(InvalidInputError, match="bins must be a whole number of at least 1"):
        calibration_error([1], [1], bins)
