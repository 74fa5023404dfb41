import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import Ratings
from recommender.errors import InvalidInputError
from recommender.models.baselines import Biases, Popularity
from recommender.models.options import BIASES
from tests.contracts.ranker_contract import OptionsContract, RankerContract, with_holes
from tests.recommender.worlds import low_rank_stars, random_ratings, seeds


class TestPopularityKeepsTheContract(RankerContract):
    def fit(self, ratings):
        return Popularity.fit(ratings)

    def test_too_little_to_learn_from_is_said(self):
        """Nothing is popular where nobody rates: a fallback must not fail."""
        ratings = Ratings.from_arrays([], [])
        assert self.fit(ratings).score_users(np.arange(2)).shape == (2, 0)

    def test_a_user_that_is_not_there_is_refused(self):
        """The counts are everyone's: of users it knows nothing, not even how many there are."""
        model = self.fit(with_holes())
        np.testing.assert_array_equal(model.score_users(np.array([-1, 14]))[1], model.counts)

    def test_histories_of_other_items_are_refused(self):
        model = self.fit(with_holes())
        with pytest.raises(InvalidInputError, match="3 items and the model 9"):
            model.score_histories(Ratings.from_arrays([0] * 3, [0, 1, 2]).by_user, np.array([0]))


class TestBiasesKeepTheContract(RankerContract):
    def fit(self, ratings, **options):
        return Biases(**options).fit(ratings)


class TestOptions(OptionsContract):
    constructor, table = Biases, BIASES


class TestBiasesWithoutRegularization(TestBiasesKeepTheContract):
    def fit(self, ratings, **options):
        return super().fit(ratings, **{"regularization": 0} | options)


@given(seeds)
def test_popularity_is_a_count(seed):
    ratings = random_ratings(np.random.default_rng(seed))
    counts = [0] * ratings.n_items
    for item in ratings.indices:
        counts[item] += 1
    assert Popularity.fit(ratings).counts.tolist() == counts


def loss(ratings, regularization, users, items):
    gap = ratings.values - (
        ratings.values.mean() + users[ratings.user_rows] + items[ratings.indices]
    )
    return np.square(gap).sum() + regularization * (np.square(users).sum() + np.square(items).sum())


@given(seed=seeds, regularization=st.sampled_from([0.0, 0.01, 1.0, 20.0, 1e6]))
def test_biases_are_those_of_the_dense_equations(seed, regularization):
    """One row of ones a rating, one more of λ a bias; of many solutions the shortest."""
    ratings = random_ratings(np.random.default_rng(seed))
    m, n = ratings.n_users, ratings.n_items
    design = np.zeros((ratings.n_ratings, m + n))
    design[np.arange(len(design)), ratings.user_rows] = 1
    design[np.arange(len(design)), m + ratings.indices.astype(int)] = 1
    values = ratings.values.astype(float)
    held = np.sqrt(regularization) * np.eye(m + n)
    exact = np.linalg.lstsq(
        np.vstack((design, held)), np.append(values - values.mean(), np.zeros(m + n)), rcond=None
    )[0]
    model = Biases(regularization).fit(ratings)
    assert model.global_bias == pytest.approx(values.mean())
    # Without regularization all users may go up and all items down: what is predicted counts.
    found = np.append(model.user_biases, model.item_biases).astype(float)
    np.testing.assert_allclose(design @ found, design @ exact, atol=1e-5)
    if regularization:
        np.testing.assert_allclose(found, exact, atol=1e-5)


@given(seed=seeds, regularization=st.sampled_from([0.0, 1.0, 20.0]))
def test_no_other_biases_have_a_smaller_loss(seed, regularization):
    rng = np.random.default_rng(seed)
    ratings = random_ratings(rng)
    model = Biases(regularization).fit(ratings)
    best = loss(ratings, regularization, model.user_biases, model.item_biases)
    for size in (1e-1, 1e-2):
        users = model.user_biases + size * rng.normal(size=ratings.n_users)
        items = model.item_biases + size * rng.normal(size=ratings.n_items)
        assert best <= loss(ratings, regularization, users, items) + 1e-4


def test_by_hand():
    """μ = 3; with λ = 1 the item alone would have (1 + 1) / (2 + 1), but the users share it."""
    ratings = Ratings.from_arrays([0, 1, 0, 1], [0, 0, 1, 1], [4, 4, 2, 2])
    model = Biases(regularization=1).fit(ratings)
    assert model.global_bias == 3
    np.testing.assert_allclose(model.user_biases, 0, atol=1e-7)
    np.testing.assert_allclose(model.item_biases, [2 / 3, -2 / 3], rtol=1e-6)


def test_who_is_unknown_is_taken_for_anybody():
    ratings = Ratings.from_arrays(["a", "a", "b"], ["x", "y", "x"], [5, 4, 1])
    model = Biases(regularization=0.5).fit(ratings)
    known, no_user, no_item, neither = model.predict(["a", "?", "a", "?"], ["y", "y", "?", "?"])
    assert known == pytest.approx(model.global_bias + model.user_biases[0] + model.item_biases[1])
    assert no_user == pytest.approx(model.global_bias + model.item_biases[1])
    assert no_item == pytest.approx(model.global_bias + model.user_biases[0])
    assert neither == pytest.approx(10 / 3)
    with pytest.raises(InvalidInputError, match="of one length; found 2 and 1"):
        model.predict(["a", "b"], ["x"])


def test_scores_are_predicted_stars():
    ratings = with_holes()
    model = Biases().fit(ratings)
    scores = model.score_users(np.arange(ratings.n_users))
    for user in range(ratings.n_users):
        ids = np.full(ratings.n_items, ratings.users.ids[user])
        np.testing.assert_allclose(scores[user], model.predict(ids, ratings.items.ids), rtol=1e-6)


def test_who_has_rated_nothing_has_no_bias():
    model = Biases(regularization=0).fit(with_holes())
    assert model.user_biases[[0, 13]].tolist() == [0, 0]
    assert model.item_biases[[2, 8]].tolist() == [0, 0]


@pytest.mark.parametrize("seed", range(3))
def test_planted_biases_are_found_again(seed):
    rng = np.random.default_rng(seed)
    users, items = rng.normal(0, 0.5, 300), rng.normal(0, 0.5, 200)
    rows, columns = np.nonzero(rng.random((300, 200)) < 0.3)
    stars = 3.5 + users[rows] + items[columns] + rng.normal(0, 0.3, len(rows))
    model = Biases(regularization=0.5).fit(Ratings.from_arrays(rows, columns, stars))
    # Each is a mean of 60 or 90 ratings with a noise of .3.
    gap = model.item_biases - items
    assert np.std(gap) < 0.05
    assert np.std(model.user_biases - users) < 0.06


def test_a_long_chain_without_regularization_is_solved():
    """Each user ties two items together and nothing else does: alternating would take forever."""
    n = 400
    users = np.repeat(np.arange(n), 2)
    items = users + np.tile([0, 1], n)
    ratings = Ratings.from_arrays(users, items, np.tile([3, 3.5], n))
    model = Biases(regularization=0).fit(ratings)
    np.testing.assert_allclose(np.diff(model.item_biases), 0.5, atol=1e-3)


def test_regularization_without_end_leaves_the_mean():
    model = Biases(regularization=1e6).fit(low_rank_stars())
    assert np.abs(model.item_biases).max() < 1e-3


def test_values_too_large_are_said_to_be():
    huge = Ratings.from_arrays([0, 0, 1], [0, 1, 1], [-3e38, 3e38, 3e38])
    with pytest.raises(InvalidInputError, match=r"too large .* a scale like 1 to 5"):
        Biases(regularization=0).fit(huge)
