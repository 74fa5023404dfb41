"""Each metric equals its twin of a few lines, and lies between 0 and 1 for every k."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recommender.errors import InvalidInputError
from recommender.evaluation.metrics import (
    average_precision,
    capped_recall,
    hit_rate,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
)

WITH_RELEVANT = (ndcg, recall, capped_recall, average_precision)
OF_HITS = (precision, hit_rate, reciprocal_rank)


def slow_ndcg(hits, n_relevant):
    gained = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits) if hit)
    best = sum(1 / math.log2(place + 2) for place in range(min(len(hits), n_relevant)))
    return gained / best


def slow_average_precision(hits, n_relevant):
    total = 0.0
    for place in range(len(hits)):
        if hits[place]:
            total += sum(hits[: place + 1]) / (place + 1)
    return total / min(len(hits), n_relevant)


def slow_reciprocal_rank(hits):
    for place, hit in enumerate(hits):
        if hit:
            return 1 / (place + 1)
    return 0


@st.composite
def rankings(draw):
    """(n_users, k) hits and how many are relevant: fewer than k, or far more."""
    n_users, k = draw(st.integers(1, 5)), draw(st.integers(1, 40))
    rows = st.lists(st.booleans(), min_size=k, max_size=k)
    hits = draw(st.lists(rows, min_size=n_users, max_size=n_users))
    return hits, [draw(st.integers(max(sum(row), 1), 60)) for row in hits]


@given(rankings())
@example(([[False] * 3], [1]))
@example(([[True] * 3], [3]))
@example(([[True]], [60]))
def test_each_equals_its_twin(case):
    hits, n_relevant = case
    array, counts = np.array(hits), np.array(n_relevant)
    k = array.shape[1]
    pairs = list(zip(hits, n_relevant, strict=True))
    expected = {
        ndcg: [slow_ndcg(row, n) for row, n in pairs],
        recall: [sum(row) / n for row, n in pairs],
        capped_recall: [sum(row) / min(k, n) for row, n in pairs],
        average_precision: [slow_average_precision(row, n) for row, n in pairs],
        precision: [sum(row) / k for row in hits],
        hit_rate: [float(any(row)) for row in hits],
        reciprocal_rank: [slow_reciprocal_rank(row) for row in hits],
    }
    for metric, twin in expected.items():
        found = metric(array, counts) if metric in WITH_RELEVANT else metric(array)
        assert found.dtype == np.float64
        assert found.tolist() == pytest.approx(twin), metric.__name__
        assert ((found >= 0) & (found <= 1)).all(), metric.__name__


@given(st.integers(1, 30), st.integers(1, 40))
def test_a_perfect_list_scores_exactly_one(n_relevant, k):
    perfect, counts = np.arange(k)[None, :] < n_relevant, np.array([n_relevant])
    for metric in (ndcg, capped_recall, average_precision):
        assert metric(perfect, counts) == 1, metric.__name__
    for metric in (hit_rate, reciprocal_rank):
        assert metric(perfect) == 1, metric.__name__


@given(rankings(), st.integers(0, 4))
def test_a_user_counts_alike_alone_and_among_others(case, user):
    hits, counts = np.array(case[0]), np.array(case[1])
    user %= len(hits)
    alone = slice(user, user + 1)
    for metric in WITH_RELEVANT:
        assert metric(hits[alone], counts[alone]) == metric(hits, counts)[user]
    for metric in OF_HITS:
        assert metric(hits[alone]) == metric(hits)[user]


@given(rankings(), st.integers(1, 5))
def test_places_that_do_not_exist_are_misses(case, missing):
    """Only what is divided by k feels them, and no other is ever better for them."""
    hits, counts = np.array(case[0]), np.array(case[1])
    k = hits.shape[1]
    padded = np.pad(hits, ((0, 0), (0, missing)))
    assert precision(padded) == pytest.approx(precision(hits) * k / (k + missing))
    assert (recall(padded, counts) == recall(hits, counts)).all()
    assert (reciprocal_rank(padded) == reciprocal_rank(hits)).all()
    for metric in (ndcg, capped_recall, average_precision):
        assert (metric(padded, counts) <= metric(hits, counts)).all()


@given(rankings())
def test_a_hit_further_up_is_never_worse(case):
    hits, counts = np.array(case[0]), np.array(case[1])
    better = -np.sort(-hits.astype(int), axis=1) > 0
    for metric in (ndcg, average_precision):
        assert (metric(better, counts) >= metric(hits, counts)).all()
    assert (reciprocal_rank(better) >= reciprocal_rank(hits)).all()


def test_nobody_is_asked():
    nobody, counts = np.empty((0, 10), bool), np.empty(0, int)
    for metric in WITH_RELEVANT:
        assert metric(nobody, counts).shape == (0,)
    for metric in OF_HITS:
        assert metric(nobody).shape == (0,)


def test_narrow_counts_do_not_overflow():
    hits = np.ones((1, 300), bool)
    assert capped_recall(hits, np.array([400], np.uint16)) == 1
    assert average_precision(hits, np.array([400], np.uint16)) == 1


@pytest.mark.parametrize("metric", WITH_RELEVANT + OF_HITS)
@pytest.mark.parametrize(
    "hits", [np.zeros((2, 3)), np.zeros(3, bool), np.zeros((2, 0), bool)], ids=str
)
def test_other_hits_are_refused(metric, hits):
    counts = [np.ones(len(hits), int)] if metric in WITH_RELEVANT else []
    with pytest.raises(InvalidInputError, match=r"booleans of the shape \(n_users, k\)"):
        metric(hits, *counts)


@pytest.mark.parametrize("metric", WITH_RELEVANT)
@pytest.mark.parametrize(
    ("n_relevant", "words"),
    [
        ([1, 0], r"n_relevant\[1\] is 0; .* at least 1"),
        ([1, -4], r"n_relevant\[1\] is -4"),
        ([2, 1], r"n_relevant\[1\] is 1, and hits\[1\] has 2"),
        ([1, 2, 3], "2 whole numbers, one a user"),
        ([1.0, 2.0], "found float64"),
        ([[1, 2]], r"found int64 of the shape \(1, 2\)"),
    ],
)
def test_other_counts_are_refused(metric, n_relevant, words):
    hits = np.array([[False, True, False], [True, True, False]])
    with pytest.raises(InvalidInputError, match=words):
        metric(hits, np.array(n_relevant))
