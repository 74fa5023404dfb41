import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import BayesianMF, BiasedALS, ImplicitALS, Ratings
from recommender.arrays import SparseRows
from recommender.errors import InvalidInputError, UnknownUserError
from recommender.models.factor_model import FactorModel
from recommender.solvers import reference
from tests.recommender.worlds import checkerboard, low_rank_stars, random_ratings, seeds


def turned(ratings):
    """Users for items, and items for users."""
    return Ratings.from_arrays(
        ratings.items.ids[ratings.indices], ratings.users.ids[ratings.user_rows], ratings.values
    )


def with_exact_items(als, ratings):
    """A model whose items are the last half-step of its training, as otherwise its users are.

    The training of the turned ratings ends with the exact half-step of its users, our items.
    """
    fitted = als.fit(turned(ratings))
    return FactorModel(
        fitted.item_factors,
        fitted.user_factors,
        ratings,
        fitted.objective,
        fitted.global_bias,
        fitted.item_biases,
        fitted.user_biases,
    )


def of_item(model, row):
    users, values = model.ratings.by_item.row(row)
    return users.astype(np.int64), values


def check_every_item(model, rtol=2e-3, atol=2e-4):
    for row in range(model.ratings.n_items):
        users, values = of_item(model, row)
        folded = model.fold_in_item(model.user_ids[users], values)
        np.testing.assert_allclose(folded.vector, model.item_factors[row], rtol=rtol, atol=atol)
        expected = 0.0 if model.item_biases is None else model.item_biases[row]
        np.testing.assert_allclose(folded.bias, expected, rtol=rtol, atol=atol)


@given(
    seed=seeds,
    k=st.sampled_from([1, 4, 16, 17]),
    alpha=st.sampled_from([0.0, 0.1, 1.0]),
    scaling=st.sampled_from([0.0, 0.5, 1.0]),
    weighting=st.sampled_from(["stars", "uniform"]),
)
@settings(max_examples=25)
def test_folding_in_an_item_of_the_training_gives_its_vector(seed, k, alpha, scaling, weighting):
    ratings = random_ratings(np.random.default_rng(seed), n_users=20, n_items=30, n=200)
    als = ImplicitALS(k, 0.05, alpha, scaling, 2, seed=seed % 1000, weighting=weighting)
    check_every_item(with_exact_items(als, ratings))


@given(
    seed=seeds,
    k=st.sampled_from([1, 4, 16]),
    scaling=st.sampled_from([0.0, 1.0]),
    biases=st.booleans(),
)
@settings(max_examples=20)
def test_so_it_is_with_stars_and_biases(seed, k, scaling, biases):
    ratings = random_ratings(np.random.default_rng(seed), n_users=20, n_items=30, n=200)
    als = BiasedALS(k, 0.1, biases, 2, scaling, seed=seed % 1000)
    check_every_item(with_exact_items(als, ratings))


def test_a_converged_training_needs_no_last_half_step():
    ratings = checkerboard(20)
    # Without momentum, and for long: both sides then solve their equations.
    model = ImplicitALS(2, 0.05, epochs=200, solver="cholesky", momentum=False).fit(ratings)
    check_every_item(model, rtol=1e-2, atol=2e-3)


@given(seed=seeds, alpha=st.sampled_from([0.0, 0.3]), n=st.integers(1, 12))
@settings(max_examples=20)
def test_a_stranger_is_what_the_slow_loop_says(seed, alpha, n):
    rng = np.random.default_rng(seed)
    ratings = random_ratings(rng, n_users=12, n_items=15, n=90)
    model = ImplicitALS(3, 0.05, alpha, epochs=2, seed=seed % 1000).fit(ratings)
    n = min(n, ratings.n_users)
    users = rng.permutation(ratings.n_users)[:n].astype(np.int64)
    stars = rng.integers(1, 11, n).astype(np.float32) / 2
    order = np.argsort(users)
    column = SparseRows.of(
        np.array([0, n]), users[order].astype(np.int32), stars[order], ratings.n_users
    )
    weights = model.objective.weights(stars[order])
    W = model.user_factors
    slow = reference.solve_rows(
        column, weights, weights, W, np.float32(alpha) * (W.T @ W),
        reference.implicit_ridge(column, 0.05, alpha, 1.0),
    )  # fmt: skip
    folded = model.fold_in_item_rows(users, stars)
    np.testing.assert_allclose(folded.vector, slow[0], rtol=2e-3, atol=2e-4)
    assert folded.bias == 0


@given(seed=seeds, n=st.integers(1, 12))
@settings(max_examples=20)
def test_a_stranger_with_stars_is_what_the_slow_loop_says(seed, n):
    rng = np.random.default_rng(seed)
    ratings = random_ratings(rng, n_users=12, n_items=15, n=90)
    model = BiasedALS(2, 0.1, epochs=2, seed=seed % 1000).fit(ratings)
    n = min(n, ratings.n_users)
    users = np.sort(rng.permutation(ratings.n_users)[:n]).astype(np.int64)
    stars = rng.integers(1, 11, n).astype(np.float32) / 2
    column = SparseRows.of(np.array([0, n]), users.astype(np.int32), stars, ratings.n_users)
    met = np.column_stack((model.user_factors, np.ones(ratings.n_users, np.float32)))
    left = stars - np.float32(model.global_bias) - model.user_biases[users]
    slow = reference.solve_rows(
        column, np.ones(n, np.float32), left, met, np.zeros((3, 3), np.float32), np.array([0.1 * n])
    )[0]
    folded = model.fold_in_item_rows(users, stars)
    np.testing.assert_allclose([*folded.vector, folded.bias], slow, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("n", [255, 256, 257, 300])
def test_items_that_many_have_rated_are_no_other(n):
    """Up to 256 ratings each is a level of its own; more are sorted into levels."""
    rng = np.random.default_rng(n)
    items = np.concatenate((np.zeros(n, np.int64), rng.integers(1, 9, 400)))
    users = np.concatenate((rng.permutation(300)[:n], rng.integers(0, 300, 400)))
    ratings = Ratings.from_arrays(users, items, rng.uniform(0.5, 5, len(users)))
    model = with_exact_items(ImplicitALS(9, 0.05, epochs=2), ratings)
    raters, values = of_item(model, 0)
    shuffled = rng.permutation(n)
    folded = model.fold_in_item(model.user_ids[raters][shuffled], values[shuffled])
    np.testing.assert_allclose(folded.vector, model.item_factors[0], rtol=2e-3, atol=2e-4)


@pytest.fixture(scope="module")
def world():
    return low_rank_stars(n_users=200, n_items=120, noise=0.3, density=0.3)


@pytest.fixture(scope="module")
def bayesian(world):
    return BayesianMF(factors=4, samples=24, implicit=False).fit(world)


class TestBayesian:
    """No half-step ends its training: an item gets the mean of its distribution."""

    def test_it_is_the_minimum_of_what_it_says(self, bayesian):
        """By the gradient, written down from the objective, with the moments taken anew."""
        rng = np.random.default_rng(3)
        objective = bayesian.objective
        users = np.sort(rng.permutation(bayesian.ratings.n_users)[:15]).astype(np.int64)
        stars = rng.uniform(1, 5, 15).astype(np.float32)
        folded = bayesian.fold_in_item_rows(users, stars)
        y = np.append(folded.vector, np.float32(folded.bias)).astype(np.float64)
        items = np.column_stack((bayesian.item_factors, bayesian.item_biases)).astype(np.float64)
        variance = np.cov(items.T, bias=True)
        variance += np.diag([objective.item_variance] * 4 + [0])
        rated = bayesian.user_factors[bayesian.ratings.user_rows].astype(np.float64)
        scatter = np.append(np.maximum(1 - np.square(rated).mean(axis=0), 0), 0)
        gradient = objective.noise_variance * np.linalg.solve(variance, y - items.mean(axis=0))
        for user, r in zip(users, stars, strict=True):
            x = np.append(bayesian.user_factors[user], 1).astype(np.float64)
            base = bayesian.global_bias + float(bayesian.user_biases[user])
            gradient += (x @ y + base - r) * x + scatter * y
        np.testing.assert_allclose(gradient, 0, atol=2e-4)

    def test_nothing_known_is_the_mean_item(self, bayesian):
        nothing = bayesian.fold_in_item([], [])
        np.testing.assert_allclose(nothing.vector, bayesian.item_factors.mean(axis=0), atol=1e-5)
        assert nothing.bias == pytest.approx(float(bayesian.item_biases.mean()), abs=1e-5)

    def test_an_item_of_the_training_comes_out_near_its_vector(self, bayesian, world):
        told, known = [], []
        for row in range(world.n_items):
            folded = bayesian.fold_in_item_rows(*of_item(bayesian, row))
            told.append(bayesian.user_factors @ folded.vector + folded.bias)
            known.append(
                bayesian.user_factors @ bayesian.item_factors[row] + bayesian.item_biases[row]
            )
        away = np.std(np.array(told) - np.array(known))
        assert away < 0.1 * np.std(known)

    def test_items_that_training_never_saw_are_predicted(self, world):
        """Better than by the mean of the same ratings, and nearly as well as if trained with."""
        new = world.indices >= 100
        old = Ratings.from_arrays(world.user_rows[~new], world.indices[~new], world.values[~new])
        model = BayesianMF(factors=4, samples=24, implicit=False).fit(old)
        errors, by_mean = [], []
        for item in range(100, 120):
            users, values = world.by_item.row(item)
            users = users.astype(np.int64)
            folded = model.fold_in_item_rows(users[:-20], values[:-20])
            asked = users[-20:]
            told = model.global_bias + model.user_biases[asked] + folded.bias
            errors.extend(told + model.user_factors[asked] @ folded.vector - values[-20:])
            by_mean.extend(values[:-20].mean() - values[-20:])
        assert np.sqrt(np.mean(np.square(errors))) < 0.45  # the noise is 0.3
        assert np.sqrt(np.mean(np.square(by_mean))) > 0.6


MODELS = [
    ImplicitALS(3, epochs=3),
    BiasedALS(2, epochs=3),
    BiasedALS(2, epochs=3, biases=False),
    BayesianMF(2, 4),
]


@pytest.fixture(scope="module", params=MODELS, ids=["implicit", "biased", "no biases", "bayesian"])
def model(request):
    return request.param.fit(low_rank_stars(30, 20))


class TestEveryModel:
    def test_the_score_of_a_new_item_is_what_the_model_would_say(self, model):
        """A model with the item put in the place of another predicts as the ItemVector says."""
        folded = model.fold_in_item(model.user_ids[:5], [5, 1, 4, 2, 3])
        factors, biases = model.item_factors.copy(), model.item_biases
        factors[7] = folded.vector
        if biases is not None:
            biases = biases.copy()
            biases[7] = folded.bias
        changed = dataclasses.replace(model, item_factors=factors, item_biases=biases)
        told = model.global_bias + folded.bias + model.user_factors @ folded.vector
        told += 0 if biases is None else model.user_biases
        said = changed.predict(model.user_ids, [model.item_ids[7]] * 30)
        np.testing.assert_allclose(said, told, rtol=1e-4, atol=1e-5)

    def test_the_order_does_not_matter_and_the_last_value_counts(self, model):
        users = model.user_ids[:4]
        forward = model.fold_in_item(users, [5, 1, 4, 2])
        backward = model.fold_in_item(users[::-1], [2, 4, 1, 5])
        twice = model.fold_in_item([users[0], *users], [1, 5, 1, 4, 2])
        for other in (backward, twice):
            np.testing.assert_allclose(other.vector, forward.vector, rtol=1e-5, atol=1e-6)
            assert other.bias == pytest.approx(forward.bias, rel=1e-5, abs=1e-6)

    def test_it_is_float32_of_as_many_factors(self, model):
        folded = model.fold_in_item(model.user_ids[:2], [5, 1])
        assert folded.vector.dtype == np.float32
        assert folded.vector.shape == (model.n_factors,)
        assert isinstance(folded.bias, float)
        assert (folded.bias != 0) is (model.item_biases is not None)

    def test_who_likes_it_scores_it_above_who_does_not(self, model):
        """Two halves of the users, one rates 5, the other hardly anything at all."""
        W = model.user_factors
        ahead = np.argsort(-W[:, 0])
        users = np.concatenate((ahead[:6], ahead[-6:])).astype(np.int64)
        folded = model.fold_in_item_rows(users, np.repeat([5, 0.5], 6).astype(np.float32))
        scores = W @ folded.vector
        assert scores[ahead[:6]].mean() > scores[ahead[-6:]].mean()

    def test_the_users_are_prepared_once(self, model):
        model.fold_in_item_rows(np.arange(3), np.ones(3, np.float32))
        standing = model._standing_users
        model.fold_in_item_rows(np.arange(5), np.ones(5, np.float32))
        assert model._standing_users is standing

    def test_a_stranger_among_the_users_is_named(self, model):
        with pytest.raises(UnknownUserError, match="unknown user 99"):
            model.fold_in_item([0, 99], [5, 5])

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ([5], "2 entries, one for each user"),
            ([5, np.nan], r"values\[1\] is nan"),
            (["a", "b"], "must be numbers"),
        ],
    )
    def test_what_cannot_be_values_is_refused(self, model, values, said):
        with pytest.raises(InvalidInputError, match=said):
            model.fold_in_item(model.user_ids[:2], values)


def test_nothing_rated_is_a_zero_vector_where_items_are_centred_on_zero():
    for als in MODELS[:3]:
        folded = als.fit(low_rank_stars(30, 20)).fold_in_item([], [])
        assert not folded.vector.any()
        assert folded.bias == 0


def test_values_too_large_to_compute_with_are_refused():
    for als in MODELS[1:3]:  # the Bayesian model computes in float64, where there is room
        model = als.fit(low_rank_stars(30, 20))
        with pytest.raises(InvalidInputError, match="too large to compute with"):
            model.fold_in_item(model.user_ids[:3], [3e38, 3e38, 3e38])
