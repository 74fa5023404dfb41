"""Sums of ratings that count half as much for each half-life since, beside a naive loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import Ratings
from recommender.errors import InvalidInputError
from recommender.trending import HALF_LIFE, Trend

rows = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.integers(0, 10**9)),
    min_size=1,
    unique_by=lambda row: row[:2],
)


def ratings_of(given):
    users, items, times = zip(*given, strict=True)
    return Ratings.from_arrays(list(users), list(items), None, list(times))


@given(given=rows, half_life=st.integers(1000, 10**8))
def test_each_rating_counts_half_for_every_half_life_since(given, half_life):
    trend = Trend.of(ratings_of(given), half_life)
    newest = max(time for _, _, time in given)
    expected = dict.fromkeys(sorted({item for _, item, _ in given}), 0.0)
    for _, item, time in given:
        expected[item] += 0.5 ** ((newest - time) / half_life)
    assert trend.reference == newest
    assert trend.weights == pytest.approx(list(expected.values()), rel=1e-9)


@given(given=rows, shift=st.integers(0, 10**8))
def test_the_order_does_not_depend_on_when_one_looks(given, shift):
    """A rating that comes later is added to what stands there already."""
    before, item = ratings_of(given), given[0][1]
    trend = Trend.of(before)
    time = trend.reference + shift
    after = Trend.of(ratings_of([*given, ("late", item, time)]))
    grown = trend.weights.copy()
    grown[before.items.row(item)] += trend.count(time)
    assert grown / trend.count(time) == pytest.approx(after.weights, rel=1e-9)


def test_the_future_is_finite():
    trend = Trend(np.ones(2), 0)
    assert np.isfinite(trend.count(10**12))
    assert trend.count(HALF_LIFE) == 2
    assert trend.count(-HALF_LIFE) == 0.5


def test_without_times_there_is_no_trend():
    assert Trend.of(Ratings.from_arrays(["a"], ["x"])) is None


def test_arrays_come_back():
    trend = Trend.of(ratings_of([("a", "x", 5), ("b", "y", 10**6)]))
    again = Trend.from_arrays(trend.arrays())
    assert np.array_equal(again.weights, trend.weights)
    assert (again.reference, again.half_life) == (10**6, HALF_LIFE)


@pytest.mark.parametrize(
    "arrays",
    [
        {"weights": np.array([-1.0]), "times": np.array([0, 1])},
        {"weights": np.array([np.nan]), "times": np.array([0, 1])},
        {"weights": np.ones(2, np.float32), "times": np.array([0, 1])},
        {"weights": np.ones(2), "times": np.array([0, 0])},
        {"weights": np.ones(2), "times": np.array([0])},
        {"weights": np.ones(2), "times": np.array([0.0, 1.0])},
    ],
)
def test_what_is_no_trend_is_refused(arrays):
    with pytest.raises(InvalidInputError):
        Trend.from_arrays(arrays)
