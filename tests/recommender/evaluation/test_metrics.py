"""Each metric equals its six-line twin, and lies between 0 and 1 for every k."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.evaluation.metrics import hit_rate, ndcg, recall, rmse
from recommender.evaluation.significance import bootstrap_mean


def slow_ndcg(hits, n_relevant, k):
    gained = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits[:k]) if hit)
    best = sum(1 / math.log2(place + 2) for place in range(min(k, n_relevant)))
    return gained / best


lists = st.lists(st.booleans(), max_size=30).flatmap(
    lambda hits: st.tuples(st.just(hits), st.integers(max(sum(hits), 1), 60), st.integers(1, 40))
)


@given(lists)
def test_ranking_metrics(case):
    hits, n_relevant, k = case
    array = np.array(hits, dtype=bool)
    assert ndcg(array, n_relevant, k) == pytest.approx(slow_ndcg(hits, n_relevant, k))
    assert recall(array, n_relevant, k) == pytest.approx(sum(hits[:k]) / min(k, n_relevant))
    assert hit_rate(array, k) == float(any(hits[:k]))
    for metric in (ndcg(array, n_relevant, k), recall(array, n_relevant, k)):
        assert 0 <= metric <= 1 + 1e-12


@given(st.integers(1, 30), st.integers(1, 40))
def test_a_perfect_list_scores_one(n_relevant, k):
    perfect = np.arange(50) < n_relevant
    assert ndcg(perfect, n_relevant, k) == pytest.approx(1)
    assert recall(perfect, n_relevant, k) == 1


def test_rmse():
    assert rmse(np.array([1, 5]), np.array([4, 1])) == pytest.approx(math.sqrt((9 + 16) / 2))


def test_the_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        interval = bootstrap_mean(rng.exponential(size=80), samples=300, seed=seed)
        assert interval.low <= interval.mean <= interval.high
        covered += interval.low <= 1 <= interval.high
    assert 0.85 <= covered / 200 <= 0.99
