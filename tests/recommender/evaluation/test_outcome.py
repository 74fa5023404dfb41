"""Figures from sums over users, and what becomes of them when users are drawn again."""

import numpy as np
import pytest

from recommender.evaluation.outcome import Figure, Outcome, resampled_sums
from recommender.evaluation.significance import bootstrap_mean


@pytest.mark.parametrize("n", [1, 7, 5_000, 20_000])
def test_as_many_users_are_drawn_as_there_are(n):
    sums = resampled_sums([np.ones(n), np.arange(n, dtype=float)], 300, seed=0)
    np.testing.assert_array_equal(sums[0], n)
    mean, deviation = (n - 1) / 2, np.sqrt((n * n - 1) / 12 / n)
    means = sums[1] / n
    assert abs(means.mean() - mean) <= 4 * deviation / np.sqrt(300)
    assert means.std() == pytest.approx(deviation, rel=0.2)


def test_every_user_is_drawn_as_often_as_any_other():
    n = 9_000
    columns = [(np.arange(n) // 1_000 == group).astype(float) for group in range(9)]
    sums = resampled_sums(columns, 400, seed=1)
    np.testing.assert_allclose(sums.mean(axis=1), 1_000, rtol=0.02)
    np.testing.assert_allclose(sums.std(axis=1), np.sqrt(1_000 * 8 / 9), rtol=0.2)


def test_columns_see_the_same_draws_and_the_seed_decides_them():
    values = np.random.default_rng(0).random(500)
    one, other = resampled_sums([values, 3 * values], 50, seed=4)
    np.testing.assert_allclose(other, 3 * one)
    np.testing.assert_allclose(one, resampled_sums([values], 50, seed=4)[0])
    assert not np.allclose(one, resampled_sums([values], 50, seed=5)[0])


def test_the_interval_of_a_mean_is_that_of_the_bootstrap():
    values = np.random.default_rng(0).exponential(size=800)
    outcome = Outcome({"users": np.ones(800), "gain": values}, {"gain": Figure(("gain",))})
    drawn = outcome.resampled(4_000)["gain"]
    interval = bootstrap_mean(values, samples=4_000)
    assert outcome.value("gain") == pytest.approx(interval.mean)
    assert np.quantile(drawn, 0.025) == pytest.approx(interval.low, abs=0.01)
    assert np.quantile(drawn, 0.975) == pytest.approx(interval.high, abs=0.01)


def test_figures_are_shares_roots_and_sums_of_distances():
    columns = {
        "users": np.array([1.0, 1, 0]),
        "a": np.array([2.0, -5, 0]),
        "b": np.array([4.0, 1, 4]),
        "n": np.array([1.0, 2, 1]),
        "none": np.zeros(3),
    }
    figures = {
        "mean": Figure(("b",)),
        "root": Figure(("b",), "n", "root"),
        "distance": Figure(("a", "b"), "n", "absolute"),
        "nothing": Figure(("b",), "none"),
    }
    outcome = Outcome(columns, figures, {"coverage": 0.5})
    assert outcome.n_users == 2
    assert outcome.value("mean") == 9 / 2
    assert outcome.value("root") == 1.5
    assert outcome.value("distance") == (3 + 9) / 4
    assert np.isnan(outcome.value("nothing"))
    assert outcome.values()["coverage"] == 0.5
    assert set(outcome.resampled(10)) == set(figures)
    with pytest.raises(KeyError):
        outcome.value("absent")
