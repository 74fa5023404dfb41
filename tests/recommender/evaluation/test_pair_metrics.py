"""The AUC equals a double loop over pairs, ties and masks included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from recommender.errors import InvalidInputError
from recommender.evaluation.metrics import auc, rank_sums


def slow_auc(scores, relevant, candidates):
    won = [
        (scores[i] > scores[j]) + (scores[i] == scores[j]) / 2
        for i in np.flatnonzero(relevant)
        for j in np.flatnonzero(candidates & ~relevant)
    ]
    return sum(won) / len(won)


@st.composite
def worlds(draw):
    """Few different scores, so that many tie; some items are seen and no candidates."""
    n_users, n_items = draw(st.integers(1, 4)), draw(st.integers(2, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scores = rng.integers(0, draw(st.integers(1, 8)), (n_users, n_items)).astype(np.float32)
    kind = rng.integers(0, 3, (n_users, n_items))  # not a candidate, another, relevant
    kind[:, 0], kind[:, 1] = 1, 2
    return scores, kind == 2, kind > 0


@given(worlds())
def test_the_area_equals_a_loop_over_pairs(world):
    scores, relevant, candidates = world
    sums = rank_sums(*world)
    for user in range(len(scores)):
        ranks = rankdata(-scores[user, candidates[user]])
        assert sums[user] == ranks[relevant[user, candidates[user]]].sum()
    found = auc(sums, relevant.sum(axis=1), candidates.sum(axis=1))
    assert found.tolist() == pytest.approx([slow_auc(*user) for user in zip(*world, strict=True)])
    assert ((found >= 0) & (found <= 1)).all()


def test_best_worst_and_all_alike():
    relevant = np.array([[True, True, False, False, False]] * 3)
    scores = np.array([[5, 4, 3, 2, 1], [1, 2, 3, 4, 5], [7, 7, 7, 7, 7]], np.float32)
    sums = rank_sums(scores, relevant, np.ones_like(relevant))
    assert sums.tolist() == [3, 9, 6]
    assert auc(sums, np.full(3, 2), np.full(3, 5)).tolist() == [1, 0, 0.5]


def test_an_item_out_of_reach_is_last_not_wrong():
    scores = np.array([[-np.inf, 1, np.inf]], np.float32)
    everything = np.ones((1, 3), bool)
    assert rank_sums(scores, np.array([[True, False, False]]), everything) == [3]


def test_a_user_to_whom_nothing_is_relevant_has_no_ranks():
    scores, nothing = np.ones((1, 3), np.float32), np.zeros((1, 3), bool)
    assert rank_sums(scores, nothing, nothing) == [0]


@pytest.mark.parametrize(
    ("sums", "n_relevant", "n_candidates", "words"),
    [
        ([3], [2], [2], r"n_candidates\[0\] is 2, of which 2 are relevant"),
        ([3], [2], [1], r"n_candidates\[0\] is 1, of which 2 are relevant"),
        (
            [2.5],
            [2],
            [5],
            r"sums\[0\] is 2.5; 2 ranks of 5 add up to 3 at least.* and to 9 at most",
        ),
        ([9.5], [2], [5], "to 9 at most"),
        ([np.nan], [2], [5], "is nan"),
        ([3], [0], [5], r"n_relevant\[0\] is 0"),
        ([3], [2], [5, 5], "n_candidates must be 1 whole numbers"),
    ],
)
def test_impossible_sums_are_refused(sums, n_relevant, n_candidates, words):
    with pytest.raises(InvalidInputError, match=words):
        auc(np.array(sums), np.array(n_relevant), np.array(n_candidates))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"scores": np.array([[1, np.nan, 2]])}, "user 0 has a score that is NaN"),
        ({"candidates": np.array([[False, True, True]])}, "item 0 is relevant to user 0 but no"),
        ({"candidates": np.ones((1, 2), bool)}, "candidates must be booleans of the shape of sco"),
        ({"relevant": np.ones((1, 3))}, "relevant must be booleans .* found float64"),
    ],
)
def test_other_scores_and_masks_are_refused(changed, words):
    given_ = {
        "scores": np.array([[3, 2, 1]], np.float32),
        "relevant": np.array([[True, False, False]]),
        "candidates": np.ones((1, 3), bool),
    } | changed
    with pytest.raises(InvalidInputError, match=words):
        rank_sums(**given_)


def test_what_is_no_candidate_may_be_nan():
    scores, candidates = np.array([[np.nan, 2, 1]]), np.array([[False, True, True]])
    assert rank_sums(scores, np.array([[False, True, False]]), candidates) == [1]
