"""Lists for groups: against the paper's sums in exact fractions, and a minority by hand."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommender.errors import InvalidInputError, InvalidOptionError
from recommender.reranking import STRATEGIES, Strategy, combine, fair
from recommender.top_k import top_k

GROUPS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 7)),
    elements=st.sampled_from([-1, 0, 0.5, 2, 3]),
)


def relevance(scores, relevant):
    """Borda points as fractions of their sum: one for each movie below, a half for each equal."""
    top = min(relevant, len(scores))
    points = []
    for score in scores:
        better = sum(other > score for other in scores)
        equal = sum(other == score for other in scores) - 1
        rank = 1 + better + Fraction(equal, 2)
        points.append(max(top - rank, Fraction(0)))
    return [point / (sum(points) or 1) for point in points]


def naive_fair(scores, n, relevant):
    """The greedy algorithm of GFAR, without rounding."""
    scores = [[Fraction(score) for score in member] for member in scores.tolist()]
    p = [relevance(member, relevant) for member in scores]
    chosen, m = [], len(scores[0])
    while len(chosen) < min(n, m):
        gains = {
            i: sum(row[i] * math.prod(1 - row[j] for j in chosen) for row in p)
            for i in range(m)
            if i not in chosen
        }
        chosen.append(max(gains, key=lambda i: (gains[i], sum(row[i] for row in scores), -i)))
    return chosen


@given(GROUPS, st.integers(1, 9), st.sampled_from([1, 2, 3, 20]))
def test_fair_is_what_the_paper_says(scores, n, relevant):
    found = fair(scores, n, relevant=relevant)
    assert found.dtype == np.int64
    assert found.tolist() == naive_fair(scores, n, relevant)


@given(GROUPS, st.data())
def test_fair_does_not_depend_on_the_order_of_members_or_on_scales(scores, data):
    m = scores.shape[1]
    order = data.draw(st.permutations(range(len(scores))))
    longest = fair(scores, m)
    assert fair(scores[order], m).tolist() == longest.tolist()
    assert fair(scores[order] * 4 - 1, m).tolist() == longest.tolist()
    for n in range(1, m):
        assert fair(scores, n).tolist() == longest[:n].tolist()


@given(GROUPS.filter(lambda scores: len(scores) == 1))
def test_one_person_is_served_by_score(scores):
    m = scores.shape[1]
    assert fair(scores, m).tolist() == top_k(scores[0], m).tolist()


# Two of one taste, and one who has it the other way round.
MINORITY = np.array([[5, 4, 3, 2, 1], [5, 4, 3, 2, 1], [1, 2, 3, 4, 5]], np.float32)


def test_a_minority_finds_its_favourite_where_the_average_leaves_it_out():
    assert fair(MINORITY, 3).tolist() == [0, 1, 4]
    assert top_k(combine(MINORITY, "average"), 3).tolist() == [0, 1, 2]
    assert top_k(combine(MINORITY, "least_misery"), 3).tolist() == [2, 1, 3]


def test_in_a_large_pool_only_the_best_of_each_member_count():
    first = np.arange(100, 0, -1, dtype=np.float32)
    scores = np.stack((first, first, first[::-1]))
    assert 99 in fair(scores, 6)
    assert 99 not in fair(scores, 40, relevant=100)


def test_whoever_prefers_nothing_has_no_say():
    scores = np.array([[1] * 60, list(range(60))], np.float32)
    assert fair(scores, 3).tolist() == [59, 58, 57]


def test_where_nobody_has_points_left_the_mean_decides():
    scores = np.array([[9, 8, 3, 1, 2], [9, 8, 1, 3, 4]], np.float32)
    assert fair(scores, 5, relevant=2).tolist() == [0, 1, 4, 2, 3]


def test_equal_movies_come_in_the_order_of_their_places():
    # One taste turned around: on paper every movie gains the same, in floats not quite.
    first = np.random.default_rng(0).permutation(19).astype(np.float32)
    assert fair(np.stack((first, 18 - first)), 1).tolist() == [0]


@given(GROUPS)
def test_combinations_are_means_and_minima(scores):
    average, misery = combine(scores, "average"), combine(scores, "least_misery")
    assert average.dtype == misery.dtype == np.float32
    for i, column in enumerate(scores.T.tolist()):
        assert average[i] == pytest.approx(sum(column) / len(column), rel=1e-6)
        assert misery[i] == min(column)


def test_the_strategies_are_those_of_the_type():
    assert get_args(Strategy) == STRATEGIES


@pytest.mark.parametrize("strategy", ["fair", "most_pleasure", None])
def test_another_combination_is_refused(strategy):
    with pytest.raises(InvalidOptionError, match='"average" or "least_misery"; found'):
        combine(MINORITY, strategy)


@pytest.mark.parametrize("serve", [lambda s: combine(s, "average"), lambda s: fair(s, 2)])
@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.empty((0, 3)), "a group has at least one member"),
        ([1.0, 2.0], r"scores must have the shape \(any, any\); found \(2,\)"),
        ([[1.0, math.nan]], r"scores\[0, 1\] is nan; only finite numbers are allowed"),
    ],
)
def test_scores_that_are_none_are_refused(serve, scores, message):
    with pytest.raises(InvalidInputError, match=message):
        serve(scores)


@pytest.mark.parametrize("counts", [{"n": 0}, {"n": 2, "relevant": 0}])
def test_counts_begin_at_one(counts):
    with pytest.raises(InvalidInputError, match="must be a whole number of at least 1; found 0"):
        fair(MINORITY, **counts)


def test_an_empty_pool_gives_an_empty_list():
    assert fair(np.empty((2, 0)), 3).tolist() == []
    assert combine(np.empty((2, 0)), "least_misery").tolist() == []
