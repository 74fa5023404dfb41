"""What lists are like equals loops over lists, items and pairs."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import InvalidInputError
from recommender.evaluation import list_metrics
from recommender.evaluation.list_metrics import gini_of
from recommender.evaluation.metrics import coverage, gini, intra_list_diversity, novelty


@pytest.fixture(autouse=True, scope="module")
def _blocks_of_two_users():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(list_metrics, "_BLOCK", 2)
        yield


def shown(lists, n_items):
    return [sum(item in row for row in lists) for item in range(n_items)]


def slow_gini(lists, n_items):
    times = shown(lists, n_items)
    return sum(abs(x - y) for x, y in combinations(times, 2)) / (n_items * sum(times))


def slow_novelty(row, counts, n_users):
    bits = [-math.log2(max(counts[item], 1) / n_users) for item in row if item >= 0]
    return sum(bits) / len(bits)


def slow_diversity(row, vectors):
    def cosine(a, b):
        size = np.linalg.norm(a) * np.linalg.norm(b)
        return a @ b / size if size else 0

    pairs = [1 - cosine(vectors[a], vectors[b]) for a, b in combinations(row[row >= 0], 2)]
    return sum(pairs) / len(pairs) if pairs else 0


@st.composite
def worlds(draw):
    """Lists of distinct items, some shorter than k, down to one item."""
    n_users, n_items = draw(st.integers(1, 7)), draw(st.integers(1, 12))
    k = draw(st.integers(1, n_items))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lists = np.array([rng.permutation(n_items)[:k] for _ in range(n_users)])
    lists[np.arange(k) >= rng.integers(1, k + 1, n_users)[:, None]] = -1
    return lists, n_items, rng


@given(worlds())
def test_over_the_catalogue(world):
    lists, n_items, _ = world
    assert coverage(lists, n_items) == sum(n > 0 for n in shown(lists, n_items)) / n_items
    assert gini(lists, n_items) == pytest.approx(slow_gini(lists, n_items))
    assert 0 < coverage(lists, n_items) <= 1
    assert 0 <= gini(lists, n_items) <= 1 - 1 / n_items + 1e-12


@given(worlds())
def test_novelty_equals_its_twin(world):
    lists, n_items, rng = world
    counts = rng.integers(0, 9, n_items)
    found = novelty(lists, counts, n_users=8)
    assert found.tolist() == pytest.approx([slow_novelty(row, counts, 8) for row in lists])
    assert ((found >= 0) & (found <= 3)).all()


@given(worlds())
def test_diversity_equals_its_twin(world):
    lists, n_items, rng = world
    vectors = rng.normal(size=(n_items, 3)).astype(np.float32)
    vectors[rng.random(n_items) < 0.2] = 0
    vectors[rng.random(n_items) < 0.2] = vectors[0]
    found = intra_list_diversity(lists, vectors)
    expected = [slow_diversity(row, vectors.astype(float)) for row in lists]
    assert found.tolist() == pytest.approx(expected, abs=1e-6)
    assert ((found >= 0) & (found <= 2)).all()


def test_where_there_is_no_item_may_be_anywhere_in_the_list():
    lists = np.array([[-1, 0, -1, 2]])
    assert coverage(lists, 4) == 0.5
    assert novelty(lists, np.array([4, 1, 1, 1]), 4) == [1]
    assert intra_list_diversity(lists, np.eye(4, dtype=np.float32)) == [1]


def test_opposite_vectors_are_twice_as_far_as_strangers():
    vectors = np.array([[1, 0], [-3, 0], [0, 2]], np.float32)
    lists = np.array([[0, 1], [0, 2], [0, 0]])
    assert intra_list_diversity(lists, vectors).tolist() == [2, 1, 0]


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_only_directions_count(size):
    """Squares of these would vanish or overflow in float32."""
    vectors = (np.array([[1, 0], [1, 1]]) * size).astype(np.float32)
    found = intra_list_diversity(np.array([[0, 1]]), vectors)
    assert found == pytest.approx([1 - math.sqrt(0.5)])


def test_an_item_that_nobody_rated_is_as_new_as_one_that_one_user_did():
    assert novelty(np.array([[0], [1]]), np.array([0, 1]), 1024).tolist() == [10, 10]


def test_lists_may_be_narrow_to_save_memory():
    lists = np.array([[0, 1], [1, -1]], np.int16)
    assert coverage(lists, 40_000) == 2 / 40_000
    assert gini(lists, 2) == pytest.approx(1 / 6)


def test_nobody_has_a_list():
    nobody = np.empty((0, 3), int)
    assert coverage(nobody, 5) == 0
    assert novelty(nobody, np.ones(5, int), 2).shape == (0,)
    assert intra_list_diversity(nobody, np.ones((5, 2), np.float32)).shape == (0,)
    for nothing in (nobody, np.full((2, 3), -1)):
        with pytest.raises(InvalidInputError, match="no list has an item"):
            gini(nothing, 5)


VECTORS = np.ones((3, 2), np.float32)
ASKED = {
    "coverage": lambda lists: coverage(lists, 3),
    "gini": lambda lists: gini(lists, 3),
    "novelty": lambda lists: novelty(lists, np.ones(3, int), 3),
    "diversity": lambda lists: intra_list_diversity(lists, VECTORS),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=list(ASKED))
@pytest.mark.parametrize(
    ("lists", "words"),
    [
        ([[0, 3]], "has the item 3; .* items are 0 to 2"),
        ([[0, -2]], "has the item -2"),
        ([0, 1], r"shape \(n_users, k\); found int64 of the shape \(2,\)"),
        ([[0.0]], "found float64"),
    ],
)
def test_other_lists_are_refused(ask, lists, words):
    with pytest.raises(InvalidInputError, match=words):
        ask(np.array(lists))


@pytest.mark.parametrize("ask", [ASKED["novelty"], ASKED["diversity"]])
def test_a_mean_over_nothing_is_refused(ask):
    with pytest.raises(InvalidInputError, match=r"lists\[1\] has no item"):
        ask(np.array([[0, -1], [-1, -1]]))


def test_other_arguments_are_refused():
    lists = np.array([[0]])
    with pytest.raises(InvalidInputError, match="n_items must be at least 1; found 0"):
        coverage(lists, 0)
    for counts in ([4], [-1], [[1]], []):
        with pytest.raises(InvalidInputError, match="from 0 to n_users = 3"):
            novelty(lists, np.array(counts, int), 3)
    for vectors in ([[np.nan]], [[np.inf]], [1.0]):
        with pytest.raises(InvalidInputError, match="finite numbers of the shape"):
            intra_list_diversity(lists, np.array(vectors, np.float32))


def test_of_items_of_which_none_was_shown_none_was_shown_more_than_another():
    assert gini_of(np.zeros(4, np.int64)) == 0
