"""Figures from sums over users, and what becomes of them when users are drawn again."""

import numpy as np
import pytest

from recommender.evaluation.outcome import Figure, Outcome
from recommender.evaluation.significance import bootstrap_mean


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
