"""What alternating least squares does as a whole: where it goes, and where it stays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import BiasedALS, FactorModel, ImplicitALS, Ratings
from recommender.models.alternation import (
    EXACT_UP_TO,
    SOLVERS,
    Alternation,
    Vectors,
    choose_solver,
    equations,
)
from recommender.models.momentum import Momentum
from recommender.models.starting import random_start
from recommender.solvers import reference
from recommender.solvers.instructions import padded
from tests.recommender.models.trainings import epochs_of, loss_of, losses_of
from tests.recommender.worlds import low_rank_stars, random_ratings, seeds

solvers = pytest.mark.parametrize("solver", list(SOLVERS))


def products(model):
    return model.user_factors @ model.item_factors.T


def world(seed=0, n_users=40, n_items=30, n=400):
    return random_ratings(np.random.default_rng(seed), n_users, n_items, n)


def communities(n_users=300, n_items=200, n_groups=10, seed=0):
    """Users and items of some groups, who mostly rate within theirs: slow for plain ALS."""
    rng = np.random.default_rng(seed)
    users, items = rng.integers(0, n_users, 12_000), rng.integers(0, n_items, 12_000)
    near = (users % n_groups == items % n_groups) | (rng.random(len(users)) < 0.05)
    return Ratings.from_arrays(users[near], items[near], rng.integers(1, 11, near.sum()) / 2)


# Fixed points


@solvers
def test_a_converged_factorization_stays_where_it_is(solver):
    als = ImplicitALS(4, 0.05, 0.3, epochs=400, solver=solver)
    there, told = losses_of(als, world())
    still, after = losses_of(
        ImplicitALS(4, 0.05, 0.3, epochs=1, solver=solver), world(), start=there
    )
    assert after[0] == pytest.approx(told[-1], rel=1e-6)
    np.testing.assert_allclose(products(still), products(there), atol=2e-3)


@pytest.mark.parametrize("biases", [False, True])
def test_converged_stars_stay_where_they_are(biases):
    ratings = low_rank_stars(30, 20, density=0.5)
    there, told = losses_of(BiasedALS(2, 0.1, biases, epochs=400), ratings)
    still, after = losses_of(BiasedALS(2, 0.1, biases, epochs=1), ratings, start=there)
    assert after[0] == pytest.approx(told[-1], rel=1e-6)
    np.testing.assert_allclose(products(still), products(there), atol=2e-3)


@given(seed=seeds)
@settings(max_examples=10)
def test_after_an_epoch_the_gradient_by_the_items_is_zero(seed):
    ratings = random_ratings(np.random.default_rng(seed))
    als = ImplicitALS(4, 0.05, 0.2, epochs=3, solver="cholesky", seed=seed)
    ridge = reference.implicit_ridge(ratings.by_item, 0.05, 0.2, 1.0)
    for model in epochs_of(als, ratings)[0]:
        gradient = reference.implicit_gradient(
            ratings.by_item,
            model.objective.weights(ratings.by_item.values),
            model.item_factors,
            model.user_factors,
            0.2,
            ridge,
        )
        scale = max(1.0, float(np.abs(model.user_factors).max()) ** 2)
        np.testing.assert_allclose(gradient / scale, 0, atol=2e-4)


# The loss


@given(
    seed=seeds,
    solver=st.sampled_from(list(SOLVERS)),
    momentum=st.booleans(),
    factors=st.integers(1, 34),
    regularization=st.sampled_from([0.003, 0.03, 0.3]),
    alpha=st.sampled_from([0.01, 0.1, 1.0, 5.0]),
    scaling=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    init_scale=st.sampled_from([1e-6, 0.1]),
)
@settings(max_examples=60)
def test_the_loss_never_rises(
    seed, solver, momentum, factors, regularization, alpha, scaling, init_scale
):
    rng = np.random.default_rng(seed)
    n_users, n_items = (int(n) for n in rng.integers(3, 40, 2))
    ratings = random_ratings(rng, n_users, n_items, int(rng.integers(20, 20 + n_users * n_items)))
    als = ImplicitALS(
        factors, regularization, alpha, scaling, 20, init_scale, solver, seed, momentum=momentum
    )
    _, told = losses_of(als, ratings)
    assert (np.diff(told) <= 5e-6 * told[:-1]).all()


@pytest.mark.parametrize("momentum", [False, True])
@solvers
def test_from_a_start_far_above_the_loss_does_not_rise_either(solver, momentum):
    """What is told of the first epoch is a small difference there; so the slow loops judge."""
    for seed in range(3):
        als = ImplicitALS(9, 3.0, 5.0, 2.0, 6, 10.0, solver, seed, momentum=momentum)
        losses = np.array([loss_of(model) for model in epochs_of(als, world(seed))[0]])
        assert (np.diff(losses) <= 1e-6 * losses[:-1]).all()


@given(seed=seeds, momentum=st.booleans(), factors=st.integers(1, 34), biases=st.booleans())
@settings(max_examples=20)
def test_the_loss_of_predicted_stars_never_rises(seed, momentum, factors, biases):
    als = BiasedALS(factors, 0.05, biases, epochs=20, seed=seed, momentum=momentum)
    _, told = losses_of(als, world(seed))
    assert (np.diff(told) <= 5e-6 * told[:-1]).all()


class Wild(Momentum):
    """Goes much too far, each time."""

    def carry(self, items):
        super().carry(items)
        if self.carried:
            items *= 30


@solvers
@pytest.mark.parametrize("factors", [5, 33])
def test_a_step_that_went_too_far_is_undone(solver, factors):
    """The users followed it; where only a few steps are taken they must not begin there."""
    ratings = world()
    objective = ImplicitALS(factors, 0.01, 0.05).objective(ratings)
    W = Vectors(np.zeros((ratings.n_users, padded(factors)), np.float32))
    H = Vectors(random_start(ratings.n_items, factors, factors, 0.1, 0))
    sides = (equations(matrix, objective, 1) for matrix in (ratings.by_user, ratings.by_item))
    alternation = Alternation(*sides, W, H, SOLVERS[solver], factors, 0.05, None)
    before = np.inf
    for epoch in range(60):
        if epoch == 50:
            alternation.momentum = Wild()
        loss = alternation.epoch(before)
        assert loss <= before * (1 + 5e-6)
        before = loss
    assert not alternation.momentum.carried


# Plain alternation, epoch by epoch


def alternate(ratings, factors, regularization, alpha, epochs, start):
    """Equations 1 and 2 of the paper in NumPy and float64, the items first from ``start``."""
    weights = {
        name: ImplicitALS().objective(ratings).weights(matrix.values)
        for name, matrix in (("users", ratings.by_user), ("items", ratings.by_item))
    }
    H = start.astype(float)
    for _ in range(epochs):
        W = reference.solve_rows(
            ratings.by_user, weights["users"], weights["users"], H, alpha * H.T @ H,
            reference.implicit_ridge(ratings.by_user, regularization, alpha, 1.0),
        )  # fmt: skip
        H = reference.solve_rows(
            ratings.by_item, weights["items"], weights["items"], W, alpha * W.T @ W,
            reference.implicit_ridge(ratings.by_item, regularization, alpha, 1.0),
        )  # fmt: skip
        yield W @ H.T


@pytest.mark.parametrize("factors", [1, 5, 16, 17])
def test_without_momentum_it_is_plain_alternation(factors):
    ratings = world()
    als = ImplicitALS(
        factors, 0.05, 0.3, epochs=6, init_scale=1.0, solver="cholesky", momentum=False, seed=5
    )
    start = random_start(ratings.n_items, factors, factors, 1.0, 5)[:, :factors]
    expected = alternate(ratings, factors, 0.05, 0.3, 6, start)
    models, _ = epochs_of(als, ratings)
    for model, scores in zip(models, expected, strict=True):
        np.testing.assert_allclose(products(model), scores, atol=2e-3)


@solvers
def test_momentum_halves_the_epochs(solver):
    """By 10 epochs it is where plain alternation is after 15, and by 15 well beyond."""
    options = {"factors": 12, "regularization": 0.01, "unobserved_weight": 0.05, "solver": solver}
    _, plain = losses_of(ImplicitALS(**options, epochs=15, momentum=False), communities())
    _, told = losses_of(ImplicitALS(**options, epochs=15, momentum=True), communities())
    assert told[9] < plain[14]
    assert (np.diff(told) <= 5e-6 * told[:-1]).all()


# All solvers go to the same place


@pytest.mark.parametrize("momentum", [False, True])
def test_after_many_epochs_all_solvers_are_at_one_loss(momentum):
    """With more factors than the solution needs there is one minimum."""
    told = {
        solver: losses_of(
            ImplicitALS(17, 0.05, 0.3, epochs=500, solver=solver, momentum=momentum), world()
        )[1]
        for solver in SOLVERS
    }
    assert told["conjugate_gradient"][0] > told["cholesky"][0]  # by another way
    for losses in told.values():
        assert losses[-1] == pytest.approx(told["cholesky"][-1], rel=1e-4)


def test_auto_is_exact_for_few_factors_and_iterates_for_many():
    assert choose_solver("auto", EXACT_UP_TO) is SOLVERS["cholesky"]
    assert choose_solver("auto", EXACT_UP_TO + 1) is SOLVERS["conjugate_gradient"]
    assert choose_solver("subspace", 1) is SOLVERS["subspace"]


# Symmetries


def swapped(model, ratings):
    """Users as items and items as users."""
    return FactorModel(model.item_factors, model.user_factors, ratings, model.objective)


@solvers
def test_swapping_users_and_items_transposes_the_answer(solver):
    ratings = world()
    turned = Ratings.from_arrays(ratings.indices, ratings.user_rows, ratings.values)
    there, told = losses_of(ImplicitALS(4, 0.05, 0.3, epochs=400, solver=solver), ratings)
    one = ImplicitALS(4, 0.05, 0.3, epochs=1, solver=solver)
    still, after = losses_of(one, turned, start=swapped(there, turned))
    assert after[0] == pytest.approx(told[-1], rel=1e-5)
    np.testing.assert_allclose(products(still).T, products(there), atol=2e-3)


@solvers
@pytest.mark.parametrize("momentum", [False, True])
def test_other_ids_in_another_order_permute_the_answer(solver, momentum):
    ratings = world()
    rng = np.random.default_rng(1)
    users, items = rng.permutation(ratings.n_users), rng.permutation(ratings.n_items)
    renamed = Ratings.from_arrays(users[ratings.user_rows], items[ratings.indices], ratings.values)
    begin = ImplicitALS(4, epochs=1, init_scale=1.0).fit(ratings)
    user_factors, item_factors = (
        np.empty_like(begin.user_factors),
        np.empty_like(begin.item_factors),
    )
    user_factors[users], item_factors[items] = begin.user_factors, begin.item_factors
    permuted = FactorModel(user_factors, item_factors, renamed, begin.objective)
    als = ImplicitALS(4, 0.05, 0.3, epochs=5, solver=solver, momentum=momentum)
    one, told = losses_of(als, ratings, start=begin)
    other, same = losses_of(als, renamed, start=permuted)
    np.testing.assert_allclose(same, told, rtol=1e-5)
    np.testing.assert_allclose(products(other)[users][:, items], products(one), atol=2e-3)


@pytest.mark.parametrize("als", [ImplicitALS(3, epochs=4), BiasedALS(3, epochs=4)])
def test_the_order_of_the_ratings_changes_no_bit(als):
    ratings = world()
    order = np.random.default_rng(2).permutation(len(ratings))
    shuffled = Ratings.from_arrays(
        ratings.user_rows[order], ratings.indices[order], ratings.values[order]
    )
    one, other = als.fit(ratings), als.fit(shuffled)
    np.testing.assert_array_equal(one.user_factors, other.user_factors)
    np.testing.assert_array_equal(one.item_factors, other.item_factors)
