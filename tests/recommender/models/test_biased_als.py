import numpy as np
import pytest
from hypothesis import given, settings

from recommender import BiasedALS, Ratings
from recommender.evaluation.metrics import rmse
from tests.contracts.model_contract import ModelContract
from tests.recommender.worlds import low_rank_stars, random_ratings, seeds


class TestBiasedALSKeepsTheContract(ModelContract):
    def ratings(self):
        return low_rank_stars(30, 20, density=0.4)

    def fit(self, ratings, callback=None, **options):
        return BiasedALS(**{"factors": 2, "threads": 2} | options).fit(ratings, callback)


class TestWithoutBiases(TestBiasedALSKeepsTheContract):
    def fit(self, ratings, callback=None, **options):
        return super().fit(ratings, callback, **{"biases": False} | options)


class TestWithoutBiasesWithAFactorForEachLane(TestWithoutBiases):
    """The table has no columns beyond the factors: what the model holds is the table itself."""

    def fit(self, ratings, callback=None, **options):
        return super().fit(ratings, callback, **{"factors": 16} | options)


@pytest.mark.parametrize("seed", range(5))
def test_planted_stars_are_found_again(seed):
    """Rank 2 with noise .1: predictions of unseen cells are nearly as good as the noise allows."""
    ratings = low_rank_stars(200, 120, rank=2, noise=0.1, density=0.6, seed=seed)
    chosen = np.random.default_rng(seed).random(ratings.n_ratings) < 0.8
    train, test = ratings.select(chosen), ratings.select(~chosen)
    model = BiasedALS(factors=2, regularization=0.005, epochs=30, seed=seed).fit(train)
    users, items = test.users.ids[test.user_rows], test.items.ids[test.indices]
    assert rmse(model.predict(users, items), test.values) < 0.13
    assert test.values.std() > 0.5  # the spread that a constant would leave


@given(seeds)
@settings(max_examples=10)
def test_after_the_last_half_step_the_gradient_by_users_and_their_biases_is_zero(seed):
    ratings = random_ratings(np.random.default_rng(seed))
    model = BiasedALS(factors=3, regularization=0.1, epochs=3, seed=seed % 1000).fit(ratings)
    for row in range(ratings.n_users):
        items, values = ratings.of_user(row)
        if not len(items):
            continue
        w, h = model.user_factors[row].astype(float), model.item_factors[items].astype(float)
        bias = float(model.user_biases[row])
        gap = model.global_bias + bias + model.item_biases[items] + h @ w - values
        held = 0.1 * len(items)
        np.testing.assert_allclose(h.T @ gap + held * w, 0, atol=2e-3)
        assert gap.sum() + held * bias == pytest.approx(0, abs=2e-3)


def test_biases_can_be_left_out():
    model = BiasedALS(factors=2, biases=False).fit(low_rank_stars())
    assert model.user_biases is None
    assert model.item_biases is None
    assert model.global_bias == 0


def test_an_item_that_nobody_rated_in_a_split_predicts_from_the_user_alone():
    ratings = Ratings.from_arrays([0, 0, 1, 1], [0, 1, 0, 2], [5, 4, 2, 1])
    train = ratings.select(ratings.indices != 2)
    model = BiasedALS(factors=1).fit(train)
    expected = model.global_bias + model.user_biases[1]
    assert model.predict([1], [2])[0] == pytest.approx(expected)
