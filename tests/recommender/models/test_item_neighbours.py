import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import Ratings
from recommender.models.item_neighbours import ItemNeighbours
from recommender.models.options import ITEM_NEIGHBOURS
from tests.contracts.ranker_contract import OptionsContract, RankerContract, with_holes
from tests.recommender.worlds import checkerboard, random_ratings, seeds


class TestItemNeighboursKeepTheContract(RankerContract):
    threads = True

    def fit(self, ratings, **options):
        return ItemNeighbours(**options).fit(ratings)


class TestOptions(OptionsContract):
    constructor, table = ItemNeighbours, ITEM_NEIGHBOURS


class TestWithStars(TestItemNeighboursKeepTheContract):
    def fit(self, ratings, **options):
        return super().fit(ratings, **{"values": "stars", "neighbours": 3} | options)

    def test_ids_are_names_and_nothing_more(self):
        """With 3 neighbours ties decide who is one, and ids decide ties: so take all."""
        whole = TestWithAllNeighbours()
        RankerContract.test_ids_are_names_and_nothing_more(whole)


class TestWithAllNeighbours(TestItemNeighboursKeepTheContract):
    def fit(self, ratings, **options):
        return super().fit(ratings, **{"values": "stars", "neighbours": 1_000} | options)


def naive_similarities(ratings, values, shrinkage):
    """(n_items, n_items) float64, pair by pair."""
    stars = ratings.to_dense(0).astype(float)
    rated = np.zeros(stars.shape, bool)
    rated[ratings.user_rows, ratings.indices] = True
    X = rated.astype(float) if values == "ones" else stars
    n = ratings.n_items
    similarities = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            lengths = np.sqrt((X[:, i] ** 2).sum() * (X[:, j] ** 2).sum())
            both = (rated[:, i] & rated[:, j]).sum()
            if i != j and both and lengths:
                cosine = (X[:, i] * X[:, j]).sum() / lengths
                similarities[i, j] = cosine * both / (both + shrinkage)
    return X, similarities


def lists_of(model):
    """What the model keeps, as one list an item: {item: {neighbour: similarity}}."""
    lists = {item: {} for item in range(model.ratings.n_items)}
    for neighbour in range(model.ratings.n_items):
        for entry in range(model.indptr[neighbour], model.indptr[neighbour + 1]):
            item = int(model.indices[entry])
            assert neighbour not in lists[item]
            lists[item][neighbour] = float(model.similarities[entry])
    return lists


worlds = st.sampled_from([(12, 9, 50), (3, 40, 60), (40, 3, 60), (6, 200, 90)])


@given(
    seed=seeds,
    world=worlds,
    values=st.sampled_from(["ones", "stars"]),
    k=st.sampled_from([1, 2, 5, 1_000]),
    shrinkage=st.sampled_from([0.0, 1.0, 30.0]),
)
def test_neighbours_and_scores_are_those_of_the_loops(seed, world, values, k, shrinkage):
    ratings = random_ratings(np.random.default_rng(seed), *world)
    model = ItemNeighbours(k, shrinkage, values, threads=1).fit(ratings)
    X, similarities = naive_similarities(ratings, values, shrinkage)
    for item, kept in lists_of(model).items():
        best = sorted(similarities[item][similarities[item] > 0], reverse=True)[:k]
        np.testing.assert_allclose(sorted(kept.values(), reverse=True), best, rtol=1e-5)
        for neighbour, similarity in kept.items():
            assert similarity == pytest.approx(similarities[item, neighbour], rel=1e-5)
    lists = lists_of(model)
    expected = [
        [sum(X[user, j] * s for j, s in lists[item].items()) for item in range(ratings.n_items)]
        for user in range(ratings.n_users)
    ]
    scores = model.score_users(np.arange(ratings.n_users))
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-6)


@given(seed=seeds, n_rated=st.integers(1, 30), k=st.integers(1, 40))
def test_of_equal_neighbours_the_first_are_kept(seed, n_rated, k):
    """All items have the same raters; so all are neighbours with a cosine of 1."""
    users, items = np.divmod(np.arange(3 * n_rated), n_rated)
    mixed = np.random.default_rng(seed).permutation(len(users))
    model = ItemNeighbours(k, 0).fit(Ratings.from_arrays(users[mixed], items[mixed]))
    for item, kept in lists_of(model).items():
        others = [other for other in range(n_rated) if other != item]
        assert sorted(kept) == others[:k]
        assert set(kept.values()) <= {1.0}


def test_by_hand():
    """Items 0 and 1 share two of their raters, 0 and 2 one; nobody knows 1 and 2."""
    ratings = Ratings.from_arrays([0, 1, 0, 1, 2, 2], [0, 0, 1, 1, 0, 2])
    model = ItemNeighbours(neighbours=1, shrinkage=2).fit(ratings)
    near, far = 2 / np.sqrt(3 * 2) * 2 / 4, 1 / np.sqrt(3) * 1 / 3
    assert lists_of(model) == {
        0: {1: pytest.approx(near)},
        1: {0: pytest.approx(near)},
        2: {0: pytest.approx(far)},
    }
    np.testing.assert_allclose(model.score_user(2), [0, near, far], rtol=1e-6)


def test_stars_make_items_that_are_liked_alike_similar():
    ratings = Ratings.from_arrays([0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2], [5, 5, 1, 1, 1, 5])
    stars = lists_of(ItemNeighbours(2, 0, "stars").fit(ratings))
    assert stars[0][1] == pytest.approx(1)
    assert stars[0][2] == pytest.approx(10 / 26)
    ones = lists_of(ItemNeighbours(2, 0).fit(ratings))
    assert ones[0] == {1: 1, 2: 1}


def test_items_that_are_rated_against_each_other_are_no_neighbours():
    ratings = Ratings.from_arrays([0, 0, 1, 1], [0, 1, 0, 1], [1, -1, -1, 1])
    assert len(ItemNeighbours(values="stars").fit(ratings).indices) == 0


@pytest.mark.parametrize("scale", [1e-18, 1e30])
def test_similarities_do_not_know_the_scale(scale):
    ratings = with_holes()
    scaled = Ratings(
        ratings.users,
        ratings.items,
        ratings.by_user.with_values(ratings.values * np.float32(scale)),
    )
    one, other = (ItemNeighbours(values="stars").fit(r) for r in (ratings, scaled))
    np.testing.assert_array_equal(one.indices, other.indices)
    np.testing.assert_allclose(one.similarities, other.similarities, rtol=1e-5)


def test_on_a_checkerboard_everyone_is_offered_the_own_colour():
    model = ItemNeighbours().fit(checkerboard(20))
    scores = model.score_users(np.arange(20))
    for user in range(20):
        own = np.arange(20) % 2 == user % 2
        assert scores[user][own].min() > scores[user][~own].max() == 0


def test_more_items_than_two_bytes_number():
    """Columns of four bytes: a catalogue beyond 65,536."""
    n = 70_000
    users, items = np.repeat(np.arange(n // 10), 10), np.arange(n)
    ratings = Ratings.from_arrays(np.append(users, [0]), np.append(items, [n - 1]))
    model = ItemNeighbours(neighbours=20, shrinkage=0).fit(ratings)
    assert model.indices.dtype == np.int32
    scores = model.score_user(n // 10 - 1)
    assert np.flatnonzero(scores).tolist() == [*range(10), *range(n - 10, n)]
    # n-1 is the neighbour of the first ten, with the cosine 1/√2.
    np.testing.assert_allclose(scores[:10], np.sqrt(0.5), rtol=1e-6)


def test_memory_grows_with_items_times_neighbours_not_with_pairs_of_items():
    rng = np.random.default_rng(0)
    n_items, k = 20_000, 10
    users, items = rng.integers(0, 3_000, 100_000), rng.integers(0, n_items, 100_000)
    ratings = Ratings.from_arrays(
        np.append(users, np.zeros(n_items, int)), np.append(items, np.arange(n_items))
    )
    assert ratings.by_item.n_rows == n_items
    ItemNeighbours(k).fit(ratings)  # compiled
    tracemalloc.start()
    try:
        ItemNeighbours(k, threads=2).fit(ratings)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < n_items * (16 * k + 100)  # a matrix of all pairs would be 1.6 GB
