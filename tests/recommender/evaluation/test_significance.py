"""Intervals hold what they say: planted figures, drawn again and again."""

import tracemalloc
from itertools import product

import numpy as np
import pytest

from recommender.errors import InvalidInputError
from recommender.evaluation.metrics import rmse
from recommender.evaluation.significance import (
    Difference,
    Interval,
    bootstrap_mean,
    bootstrap_rmse,
    paired_difference,
)

TRIALS = 1000
"""With so many trials a coverage of 95 % is seen within 93 and 97 %, but for 4 in 1,000 times."""


def covered(truth, interval_of_trial):
    """Share of trials whose interval holds the truth."""
    intervals = [interval_of_trial(trial) for trial in range(TRIALS)]
    assert all(found.low <= found.mean <= found.high for found in intervals)
    return np.mean([found.low <= truth <= found.high for found in intervals])


def test_the_interval_of_a_mean_covers_the_truth_as_often_as_it_says():
    """Values like NDCG: many zeros, the rest between 0 and 1; their true mean is 0.6 · ½."""
    rng = np.random.default_rng(0)

    def values():
        return rng.random(150) * (rng.random(150) < 0.6)

    assert 0.92 <= covered(0.3, lambda t: bootstrap_mean(values(), samples=400, seed=t)) <= 0.98
    assert 0.76 <= covered(0.3, lambda t: bootstrap_mean(values(), 0.8, 400, t)) <= 0.84


def test_the_interval_of_a_difference_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)

    def compared(trial):
        hardness = rng.random(150)
        first, second = hardness + 0.2 * rng.random((2, 150))
        return paired_difference(first, second - 0.05, samples=400, seed=trial)

    assert 0.92 <= covered(0.05, compared) <= 0.98


def test_the_interval_of_an_rmse_covers_the_truth_as_often_as_it_says():
    """Users differ in their number of ratings and in how well they are predicted."""
    rng = np.random.default_rng(2)

    def measured(trial):
        counts = rng.integers(1, 20, 200)
        noise = np.where(rng.random(200) < 0.5, 0.6, 0.9)
        return bootstrap_rmse(noise**2 * rng.chisquare(counts), counts, samples=400, seed=trial)

    assert 0.92 <= covered(np.sqrt((0.36 + 0.81) / 2), measured) <= 0.98


def test_ratings_of_one_user_are_drawn_together():
    """As many errors alone would look ten times surer: √100 ratings a user."""
    rng = np.random.default_rng(3)
    each = rng.chisquare(1, 100)
    together = bootstrap_rmse(100 * each, np.full(100, 100))
    alone = bootstrap_rmse(np.repeat(each, 100), np.ones(10_000))
    assert together.mean == pytest.approx(alone.mean)
    assert (together.high - together.low) > 5 * (alone.high - alone.low)


@pytest.mark.parametrize(("n", "samples"), [(1_000_000, 257), (100_000, 1000)])
def test_a_million_users_fit(n, samples):
    values = np.random.default_rng(5).random(n)
    tracemalloc.start()
    try:
        interval = bootstrap_mean(values, samples=samples)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40e6  # bytes; a million draws of 8 bytes, and their values
    width = interval.high - interval.low
    assert width == pytest.approx(2 * 1.96 * np.sqrt(1 / 12 / n), rel=0.2)


def test_the_seed_decides():
    values, counts = np.random.default_rng(6).random((2, 60)), np.arange(1, 61)
    calls = {
        "mean": lambda seed: bootstrap_mean(values[0], seed=seed),
        "difference": lambda seed: paired_difference(*values, seed=seed),
        "rmse": lambda seed: bootstrap_rmse(values[0], counts, seed=seed),
    }
    for call in calls.values():
        assert call(3) == call(3)
        assert len({call(seed) for seed in range(5)}) == 5
        assert len({call(seed).mean for seed in range(5)}) == 1


def test_the_order_of_the_draws_is_not_that_of_the_samples():
    """More samples narrow down the same ends; more confidence widens them."""
    values = np.random.default_rng(7).random(200)
    narrow, wide = bootstrap_mean(values, 0.5), bootstrap_mean(values, 0.99)
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high


def test_users_paired_are_surer_than_users_apart():
    rng = np.random.default_rng(8)
    hardness = rng.random(300)
    first, second = hardness + 0.02, hardness + 0.02 * rng.random(300)
    difference = paired_difference(first, second)
    assert isinstance(difference, Interval)
    assert 0 < difference.low < difference.mean == pytest.approx((first - second).mean())
    assert difference.ahead == 1
    apart = bootstrap_mean(first), bootstrap_mean(second)
    assert apart[0].low < apart[1].high  # beside each other they overlap


def test_ahead_is_counted_from_both_sides_alike():
    first, second = np.random.default_rng(9).normal(size=(2, 40))
    one, other = paired_difference(first, second), paired_difference(second, first)
    assert one.ahead + other.ahead == pytest.approx(1)
    assert 0 < one.ahead < 1
    assert (one.mean, one.low, one.high) == pytest.approx((-other.mean, -other.high, -other.low))
    assert paired_difference(first, first) == Difference(0, 0, 0, ahead=0.5)


def test_a_tie_counts_half_however_it_is_rounded():
    """Three users, won by 0.1 and 0.2 and lost by 0.3: drawn once each, they tie."""
    ways = np.array([sum(drawn) for drawn in product((1, 2, -3), repeat=3)])
    first, second = np.array([0.1, 0.2, 0]), np.array([0, 0, 0.3])
    assert (first - second).sum() > 0
    wanted = np.mean(ways > 0) + np.mean(ways == 0) / 2
    assert paired_difference(first, second, samples=40_000).ahead == pytest.approx(wanted, abs=0.01)


def test_the_rmse_is_that_of_all_ratings():
    rng = np.random.default_rng(10)
    users, actual = rng.integers(0, 30, 500), rng.integers(1, 6, 500)
    predicted = actual + rng.normal(size=500)
    squares, counts = np.bincount(users, (predicted - actual) ** 2), np.bincount(users)
    assert bootstrap_rmse(squares, counts).mean == pytest.approx(rmse(predicted, actual))
    same = bootstrap_rmse(4 * counts, counts)
    assert same == Interval(2, 2, 2)


def test_one_user_has_no_width():
    assert bootstrap_mean([0.5]) == Interval(0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"confidence": 0}, "confidence must lie between 0 and 1; found 0"),
        ({"confidence": 1}, "found 1"),
        ({"confidence": 95}, "found 95"),
        ({"confidence": np.nan}, "found nan"),
        ({"samples": 0}, "samples must be a whole number of at least 1"),
        ({"samples": 10.5}, "samples must be"),
        ({"seed": -1}, "seed must be a whole number of at least 0; found -1"),
        ({"seed": None}, "found None"),
        ({"seed": 0.5}, "found 0.5"),
    ],
)
def test_senseless_arguments_are_refused(change, words):
    with pytest.raises(InvalidInputError, match=words):
        bootstrap_mean([1.0], **change)
    with pytest.raises(InvalidInputError, match=words):
        paired_difference([1.0], [1.0], **change)
    with pytest.raises(InvalidInputError, match=words):
        bootstrap_rmse([1.0], [1], **change)


def test_bad_values_are_refused():
    for bad, words in (
        ([], "values is empty"),
        ([[1.0]], "one number a user; found the shape"),
        ([0, np.nan], r"values\[1\] is nan"),
        (["many"], "values must be numbers"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            bootstrap_mean(bad)
    with pytest.raises(InvalidInputError, match="the same user at the same place; found 2 and 1"):
        paired_difference([1, 2], [1])
    with pytest.raises(InvalidInputError, match=r"squared_errors_by_user\[1\] is -0.5"):
        bootstrap_rmse([1, -0.5], [1, 1])
    with pytest.raises(InvalidInputError, match="one length; found 2 and 1"):
        bootstrap_rmse([1, 2], [1])
    for counts in ([1, 0], [1, 2.5]):
        with pytest.raises(InvalidInputError, match=r"counts_by_user\[1\] is .* at least 1"):
            bootstrap_rmse([1, 2], counts)
