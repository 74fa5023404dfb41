"""One seed is one model, whatever the machine: bit for bit, at any number of threads."""

import numpy as np
import pytest

from recommender import BiasedALS, ImplicitALS
from recommender.models.alternation import equations
from tests.recommender.models.trainings import SOLVERS
from tests.recommender.worlds import random_ratings

MANY = random_ratings(np.random.default_rng(0), n_users=700, n_items=500, n=50_000)
"""Enough that seven threads are worth their while."""

FEW_USERS = random_ratings(np.random.default_rng(1), n_users=4, n_items=30_000, n=80_000)
"""More threads than users: some have nothing to do."""


def check(als_with, ratings):
    one = als_with(1).fit(ratings)
    assert np.isfinite(one.user_factors).all()
    for threads in (2, 3, 7):
        assert len(equations(ratings.by_user, one.objective, threads).shares) == threads
        many = als_with(threads).fit(ratings)
        np.testing.assert_array_equal(one.user_factors, many.user_factors)
        np.testing.assert_array_equal(one.item_factors, many.item_factors)
        if one.user_biases is not None:
            np.testing.assert_array_equal(one.user_biases, many.user_biases)
            np.testing.assert_array_equal(one.item_biases, many.item_biases)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("factors", "momentum"), [(5, True), (20, False), (32, True)])
def test_implicit_als(solver, factors, momentum):
    check(
        lambda threads: ImplicitALS(
            factors, epochs=4, solver=solver, threads=threads, momentum=momentum
        ),
        MANY,
    )


@pytest.mark.parametrize("solver", SOLVERS)
def test_with_more_threads_than_users(solver):
    check(lambda threads: ImplicitALS(16, epochs=3, solver=solver, threads=threads), FEW_USERS)


@pytest.mark.parametrize("biases", [False, True])
def test_biased_als(biases):
    check(lambda threads: BiasedALS(8, biases=biases, epochs=4, threads=threads), MANY)


def test_the_epochs_did_something():
    """A training that returned its start would pass all of the above."""
    one, two = (ImplicitALS(5, epochs=epochs, solver="cholesky").fit(MANY) for epochs in (1, 2))
    assert not np.allclose(one.item_factors, two.item_factors, atol=1e-3)
