"""The objective that all share, and what the peers have to be told for it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from benchmarks.training.loss import loss
from benchmarks.training.objective import Objective
from recommender import ImplicitALS, Ratings
from recommender.solvers.reference import implicit_loss, implicit_ridge


def world(seed, n_users=7, n_items=5, factors=3):
    generator = np.random.default_rng(seed)
    rated = generator.random((n_users, n_items)) < 0.4
    W = generator.standard_normal((n_users, factors))
    H = generator.standard_normal((n_items, factors))
    return rated, W, H


def implicits_loss(rated, X, Y, confidence, regularization):
    """What implicit's documentation and its solver in plain Python say, pair by pair."""
    total = regularization * (np.square(X).sum() + np.square(Y).sum())
    for user, item in np.ndindex(rated.shape):
        score = X[user] @ Y[item]
        if rated[user, item]:
            total += confidence * (1 - score) ** 2
        else:
            total += score**2
    return total


@given(st.integers(0, 10_000), st.floats(0.01, 3), st.floats(0.01, 9))
def test_implicit_minimizes_our_objective_when_told_so(seed, weight, regularization):
    rated, W, H = world(seed)
    objective = Objective(regularization, weight, 0.0)
    s = objective.implicit_stretch
    theirs = implicits_loss(
        rated, np.sqrt(s) * W, np.sqrt(s) * H,
        objective.implicit_confidence, objective.implicit_regularization,
    )  # fmt: skip
    csr = csr_matrix(rated)
    ours = loss(objective, csr.indptr, csr.indices, W, H)
    assert ours == pytest.approx(weight / s**2 * theirs + rated.sum() * weight / s, rel=1e-10)


@given(st.integers(0, 10_000), st.floats(0, 3), st.floats(0, 9), st.floats(0, 2))
def test_the_loss_is_that_of_the_slow_loops(seed, weight, regularization, scaling):
    rated, W, H = world(seed)
    csr = csr_matrix(rated.astype(np.float32))
    by_user = Ratings.from_sparse(csr).by_user
    objective = Objective(regularization, weight, scaling)
    slow = implicit_loss(
        by_user, np.ones(csr.nnz, np.float32), W, H, weight,
        implicit_ridge(by_user, regularization, weight, scaling),
        implicit_ridge(by_user.transpose(), regularization, weight, scaling),
    )  # fmt: skip
    assert loss(objective, csr.indptr, csr.indices, W, H, threads=2) == pytest.approx(slow)


def test_the_loss_is_the_one_that_our_training_reports():
    rated, _, _ = world(3, 40, 30)
    csr = csr_matrix(rated.astype(np.float32))
    objective = Objective(0.01, 0.2, 1.0)
    told = []
    als = ImplicitALS(
        factors=4, regularization=0.01, unobserved_weight=0.2, weighting="uniform", epochs=60,
        solver="cholesky",
    )  # fmt: skip
    model = als.fit(Ratings.from_sparse(csr), lambda _epoch, _seconds, value: told.append(value))
    found = loss(objective, csr.indptr, csr.indices, model.user_factors, model.item_factors)
    # The users are solved once more after the last report.
    assert found == pytest.approx(told[-1], rel=1e-4)
    assert found <= told[-1] * (1 + 1e-6)


@given(st.integers(0, 10_000))
def test_both_scalings_regularize_as_much_in_total(seed):
    rated, _, _ = world(seed, 9, 6)
    users, items = rated.sum(axis=1), rated.sum(axis=0)
    totals = []
    for scaling in (0.0, 1.0):
        objective = Objective.for_matrix(9, 6, int(rated.sum()), scaling)
        totals.append(objective.ridge(users, 6).sum() + objective.ridge(items, 9).sum())
        assert objective.frequency_scaling == scaling
    assert totals[0] == pytest.approx(totals[1])


def test_other_scalings_are_refused():
    with pytest.raises(ValueError, match=r"0 or 1; found 0\.5"):
        Objective.for_matrix(9, 6, 20, 0.5)
