import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from recommender import Ratings
from recommender.data.synthetic import SHAPES, planted_ratings
from recommender.errors import InvalidInputError
from recommender.models import ease
from recommender.models.ease import EASE
from recommender.models.options import EASE as TABLE
from tests.contracts.ranker_contract import OptionsContract, RankerContract, with_holes
from tests.recommender.worlds import checkerboard, random_ratings, seeds


class TestEaseKeepsTheContract(RankerContract):
    threads = True

    def fit(self, ratings, **options):
        return EASE(**{"regularization": 5} | options).fit(ratings)


class TestOptions(OptionsContract):
    constructor, table = EASE, TABLE


class TestWithStars(TestEaseKeepsTheContract):
    def fit(self, ratings, **options):
        return super().fit(ratings, **{"values": "stars"} | options)


class TestWithNextToNoRegularization(TestEaseKeepsTheContract):
    def fit(self, ratings, **options):
        return super().fit(ratings, **{"regularization": 1e-3} | options)


def column_by_column(X, regularization):
    """Ridge regression of each column on the others: the diagonal is 0 because it is left out."""
    n = X.shape[1]
    B = np.zeros((n, n))
    for item in range(n):
        others = np.delete(np.arange(n), item)
        A = X[:, others]
        B[others, item] = np.linalg.solve(
            A.T @ A + regularization * np.eye(n - 1), A.T @ X[:, item]
        )
    return B


def dense(ratings, values):
    X = ratings.to_dense(0).astype(float)
    if values == "ones":
        X[ratings.user_rows, ratings.indices] = 1
    return X


@given(
    seed=seeds,
    world=st.sampled_from([(12, 9, 50), (4, 30, 60), (9, 40, 90), (40, 3, 60)]),
    values=st.sampled_from(["ones", "stars"]),
    regularization=st.sampled_from([0.01, 1.0, 100.0, 1e6]),
)
def test_weights_are_those_of_a_regression_a_column(seed, world, values, regularization):
    ratings = random_ratings(np.random.default_rng(seed), *world)
    model = EASE(regularization, values).fit(ratings)
    expected = column_by_column(dense(ratings, values), regularization)
    np.testing.assert_allclose(
        model.item_weights, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max()
    )
    assert not model.item_weights.diagonal().any()
    scores = model.score_users(np.arange(ratings.n_users))
    np.testing.assert_allclose(
        scores, dense(ratings, values) @ model.item_weights, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("regularization", [0.1, 50.0])  # in 64 bits, and in 32
@pytest.mark.parametrize("threads", [1, 3])
def test_by_few_users_the_weights_are_the_same(monkeypatch, regularization, threads):
    """More users and items than there are rows in a block."""
    ratings = random_ratings(np.random.default_rng(3), 600, 700, 9_000)
    weights = []
    for items_a_user in (10, 0.1):  # by items, and by users
        monkeypatch.setattr(ease, "_ITEMS_A_USER", items_a_user)
        weights.append(EASE(regularization, "stars", threads).fit(ratings).item_weights)
    by_items, by_users = weights
    assert not np.array_equal(by_items, by_users)
    tolerance = 1e-6 if regularization < 1 else 1e-4
    np.testing.assert_allclose(by_users, by_items, atol=tolerance * np.abs(by_items).max())
    monkeypatch.setattr(ease, "_ITEMS_A_USER", 0.1)
    other = EASE(regularization, "stars", 2).fit(ratings).item_weights
    np.testing.assert_array_equal(other, by_users)


def test_by_hand():
    """XᵀX = [[2, 1], [1, 1]]; each item from the other: 1 / (1 + λ) and 1 / (2 + λ)."""
    ratings = Ratings.from_arrays([0, 0, 1], [0, 1, 0])
    weights = EASE(regularization=2).fit(ratings).item_weights
    np.testing.assert_allclose(weights, [[0, 1 / 4], [1 / 3, 0]], rtol=1e-6)


def test_more_items_than_are_scored_at_a_time():
    ratings = random_ratings(np.random.default_rng(5), 30, 2_500, 6_000)
    assert ratings.n_items > ease._TILE
    model = EASE(5, "stars").fit(ratings)
    scores = model.score_users(np.arange(ratings.n_users))
    np.testing.assert_allclose(scores, dense(ratings, "stars") @ model.item_weights, atol=1e-4)


def test_what_nobody_rated_neither_gives_nor_takes():
    model = EASE(1).fit(with_holes())
    assert not model.item_weights[[2, 8]].any()
    assert not model.item_weights[:, [2, 8]].any()
    assert not model.score_users(np.array([0, 13])).any()


def test_on_a_checkerboard_everyone_is_offered_the_own_colour():
    scores = EASE(1).fit(checkerboard(20)).score_users(np.arange(20))
    for user in range(20):
        own = np.arange(20) % 2 == user % 2
        assert scores[user][own].min() > np.abs(scores[user][~own]).max()


@pytest.fixture(scope="module")
def planted():
    """A world in which weak regularization leaves columns that say nearly the same."""
    drawn = planted_ratings(SHAPES["ml-100k"], seed=0)
    ratings = Ratings.from_arrays(drawn.users, drawn.items, drawn.ratings)
    X = dense(ratings, "ones")
    return ratings, X, float(np.linalg.eigvalsh(X.T @ X)[-1])


def in_double_precision(X, regularization):
    inverse = np.linalg.inv(X.T @ X + regularization * np.eye(X.shape[1]))
    weights = -inverse / inverse.diagonal()
    np.fill_diagonal(weights, 0)
    return weights


@pytest.mark.parametrize("items_a_user", [10, 0.1])  # by items, and by users
@pytest.mark.parametrize("condition", [0.9e4, 1.1e4, 1e6])
def test_where_single_precision_is_chosen_it_is_enough(
    monkeypatch, planted, condition, items_a_user
):
    monkeypatch.setattr(ease, "_ITEMS_A_USER", items_a_user)
    ratings, X, largest = planted
    regularization = largest / condition
    expected = in_double_precision(X, regularization)
    chosen = ease._precision(ratings.by_user, np.empty(0, np.float32), regularization)
    assert chosen is (np.float32 if condition < 1e4 else np.float64)
    tolerance = np.abs(expected).max() * (1e-3 if chosen is np.float32 else 1e-6)
    found = EASE(regularization).fit(ratings).item_weights
    np.testing.assert_allclose(found, expected, atol=tolerance)


def test_where_it_is_not_chosen_it_would_not_be_enough(monkeypatch, planted):
    ratings, X, largest = planted
    regularization = largest / 1e5
    expected = in_double_precision(X, regularization)
    monkeypatch.setattr(ease, "_SINGLE_UP_TO", np.inf)
    found = EASE(regularization).fit(ratings).item_weights
    assert np.abs(found - expected).max() > 5e-3 * np.abs(expected).max()


@given(seed=seeds, sign=st.sampled_from([-1, 1]))
def test_the_largest_eigenvalue_decides(seed, sign):
    ratings = random_ratings(np.random.default_rng(seed), 20, 15, 150)
    values = ratings.values * np.where(np.arange(ratings.n_ratings) % 2, sign, 1)
    by_user = ratings.by_user.with_values(values)
    X = np.abs(ratings.to_dense(0).astype(float))
    largest = np.linalg.eigvalsh(X.T @ X).max()
    limit = largest / ease._SINGLE_UP_TO
    assert ease._precision(by_user, by_user.levels, 1.1 * limit) is np.float32
    assert ease._precision(by_user, by_user.levels, 0.9 * limit) is np.float64


def test_too_many_items_are_refused_with_a_way_out():
    rows = csr_array(([1.0], ([0], [0])), shape=(1, 20_001))
    ratings = Ratings.from_sparse(rows)
    with pytest.raises(InvalidInputError, match=r"20,001 items .* 1\.6 GB .* Use ItemNeighbours"):
        EASE().fit(ratings)


def test_values_too_large_for_the_regularization_are_said_to_be():
    huge = Ratings.from_arrays(
        np.repeat(np.arange(9), 4), np.tile(np.arange(4), 9), np.full(36, 1e30)
    )
    with pytest.raises(InvalidInputError, match=r"1e\+30 are too large for regularization=0.001"):
        EASE(1e-3, "stars").fit(huge)
    assert np.isfinite(EASE(1e-3).fit(huge).item_weights).all()
