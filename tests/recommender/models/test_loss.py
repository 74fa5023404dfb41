"""The loss that callbacks are told costs nothing and is exact, at every epoch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import BiasedALS, ImplicitALS, Ratings
from tests.recommender.models.trainings import SOLVERS, epochs_of, loss_of
from tests.recommender.worlds import seeds


def check_each_epoch(als, ratings):
    models, told = epochs_of(als, ratings)
    assert len(models) == len(told) == als.epochs
    for model, loss in zip(models, told, strict=True):
        assert loss == pytest.approx(loss_of(model), rel=1e-5)


def with_dislikes(rng, n_users=12, n_items=9, n=50):
    """Stars from -1 on: 0 and less count as weight 0."""
    return Ratings.from_arrays(
        rng.integers(0, n_users, n), rng.integers(0, n_items, n), rng.integers(-2, 11, n) / 2
    )


@given(
    seed=seeds,
    solver=st.sampled_from(SOLVERS),
    factors=st.sampled_from([1, 2, 15, 16, 17, 33]),
    weighting=st.sampled_from(["stars", "uniform"]),
    alpha=st.sampled_from([0.01, 0.1, 1.0]),
    scaling=st.sampled_from([0.0, 1.0, 2.0]),
    momentum=st.booleans(),
    power=st.sampled_from([0.0, 2.0, 3.3]),
)
@settings(max_examples=40)
def test_the_loss_is_that_of_the_reference(
    seed, solver, factors, weighting, alpha, scaling, momentum, power
):
    als = ImplicitALS(
        factors, 0.02, alpha, scaling, 4, solver=solver, seed=seed, weighting=weighting,
        momentum=momentum, weight_power=power,
    )  # fmt: skip
    check_each_epoch(als, with_dislikes(np.random.default_rng(seed)))


@pytest.mark.parametrize("solver", SOLVERS)
def test_rows_longer_than_a_chunk_are_counted_in_full(solver):
    """2,500 ratings of one user, and users with few: tiles, chunks and the dual form, at 64."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(14), [2500, 2300, 700, 520, 300, 129, 48, 49, 30, 20, 9, 8, 2, 1])
    items = np.concatenate([rng.permutation(2600)[: (users == u).sum()] for u in range(14)])
    ratings = Ratings.from_arrays(users, items, rng.integers(0, 11, len(users)) / 2)
    als = ImplicitALS(64, 0.01, epochs=2, solver=solver)
    check_each_epoch(als, ratings)


@pytest.mark.parametrize("factors", [1, 17])
def test_a_thousand_different_values_are_each_their_own(factors):
    """Codes are of two bytes then."""
    rng = np.random.default_rng(1)
    places = rng.integers(0, 60, 1500), rng.integers(0, 40, 1500)
    ratings = Ratings.from_arrays(*places, rng.uniform(0, 5, 1500))
    assert ratings.by_user.codes.dtype == np.uint16
    check_each_epoch(ImplicitALS(factors, 0.02, epochs=2, solver="cholesky"), ratings)


@given(
    seed=seeds,
    factors=st.sampled_from([1, 2, 14, 15, 16, 17, 33]),
    biases=st.booleans(),
    scaling=st.sampled_from([0.0, 1.0, 2.0]),
    momentum=st.booleans(),
)
@settings(max_examples=30)
def test_the_loss_of_predicted_stars_is_that_of_a_loop(seed, factors, biases, scaling, momentum):
    als = BiasedALS(factors, 0.1, biases, 4, scaling, seed=seed, momentum=momentum)
    check_each_epoch(als, with_dislikes(np.random.default_rng(seed)))


def test_rows_and_columns_without_ratings_add_nothing():
    ratings = with_dislikes(np.random.default_rng(2))
    holes = ratings.select((ratings.user_rows != 3) & (ratings.indices != 4))
    for solver in SOLVERS:
        check_each_epoch(ImplicitALS(5, 0.02, epochs=3, solver=solver), holes)
    check_each_epoch(BiasedALS(5, epochs=3), holes)
