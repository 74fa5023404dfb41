"""What is odd has an answer, what is senseless an error; never a NaN, never a crash."""

from contextlib import suppress

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array

from recommender import BiasedALS, ImplicitALS, Ratings
from recommender.errors import InvalidInputError, TooFewRatingsError
from tests.recommender.models.trainings import SOLVERS, losses_of
from tests.recommender.worlds import random_ratings


def some(seed=0, n_users=12, n_items=9, n=50, values=None):
    rng = np.random.default_rng(seed)
    users, items = rng.integers(0, n_users, n), rng.integers(0, n_items, n)
    return Ratings.from_arrays(users, items, values(rng, n) if values else None)


def everything_by_everybody():
    return Ratings.from_arrays(*np.divmod(np.arange(60), 6))


WORLDS = {
    "everything rated by everybody": everything_by_everybody,
    "one rating a user": lambda: Ratings.from_arrays(np.arange(10), np.arange(10) % 3),
    "one rating an item": lambda: Ratings.from_arrays(np.arange(10) % 3, np.arange(10)),
    "columns that are the same": lambda: Ratings.from_arrays(
        np.repeat(np.arange(10), 4), np.tile(np.arange(4), 10), np.repeat(np.arange(10), 4) % 5
    ),
    "values around zero": lambda: some(values=lambda rng, n: rng.normal(size=n)),
    "negative values": lambda: some(values=lambda rng, n: -rng.uniform(1, 2, n)),
    "zeros": lambda: some(values=lambda _, n: np.zeros(n)),
    "two values far apart": lambda: some(values=lambda rng, n: rng.choice([1e-6, 1e6], n)),
    "holes": lambda: random_ratings(np.random.default_rng(1)).select(
        np.isin(random_ratings(np.random.default_rng(1)).user_rows, [1, 2, 5])
    ),
    "two users": lambda: some(n_users=2),
    "two items": lambda: some(n_items=2),
}

OPTIONS = {
    "the defaults": {},
    "no regularization": {"regularization": 0},
    "one regularization for all": {"frequency_scaling": 0},
    "regularization by the square": {"frequency_scaling": 2},
    "endless regularization": {"regularization": 1e6, "frequency_scaling": 2},
    "a wide start": {"init_scale": 1e3},
    "next to no start": {"init_scale": 1e-9},
}

IMPLICIT_ONLY = {
    "unrated pairs say nothing": {"unobserved_weight": 0},
    "unrated pairs say everything": {"unobserved_weight": 1e6},
}


def check_finite(als, ratings):
    model, told = losses_of(als, ratings)
    assert np.isfinite(told).all()
    for factors in (model.user_factors, model.item_factors):
        assert np.isfinite(factors).all()
    for biases in (model.user_biases, model.item_biases):
        assert biases is None or np.isfinite(biases).all()
    nobody = np.diff(ratings.indptr) == 0
    assert not model.user_factors[nobody].any()
    unseen = np.bincount(ratings.indices, minlength=ratings.n_items) == 0
    assert not model.item_factors[unseen].any()
    ids, scores = model.recommend(model.user_ids[0], 3, exclude_seen=False)
    assert len(ids) == min(3, ratings.n_items)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("factors", [3, 16, 33])
@pytest.mark.parametrize("options", OPTIONS | IMPLICIT_ONLY)
@pytest.mark.parametrize("world", WORLDS)
def test_ranking_is_defined(world, options, factors):
    """33 factors are more than there are users, and more than there are items."""
    chosen = (OPTIONS | IMPLICIT_ONLY)[options]
    for solver in SOLVERS:
        als = ImplicitALS(**{"factors": factors, "solver": solver, "epochs": 5} | chosen)
        check_finite(als, WORLDS[world]())


@pytest.mark.parametrize("factors", [3, 16, 33])
@pytest.mark.parametrize("world", WORLDS)
def test_where_nothing_holds_the_vectors_they_are_finite_or_it_is_said(world, factors):
    """No regularization, no weight for what is not rated: one side may grow without end."""
    for solver in SOLVERS:
        als = ImplicitALS(factors, 0, 0, epochs=5, solver=solver)
        with suppress(InvalidInputError):  # "… too large …, or regularize more"
            check_finite(als, WORLDS[world]())


@pytest.mark.parametrize("factors", [3, 16, 33])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("world", WORLDS)
def test_predicting_stars_is_defined(world, options, factors):
    for biases in (False, True):
        als = BiasedALS(**{"factors": factors, "biases": biases, "epochs": 5} | OPTIONS[options])
        check_finite(als, WORLDS[world]())


def test_weights_of_zero_leave_nothing_to_rank_by():
    """All disliked: every vector goes to zero, and the loss with it."""
    model, told = losses_of(ImplicitALS(3, epochs=20), WORLDS["negative values"]())
    assert np.abs(model.user_factors).max() < 1e-6
    assert told[-1] == pytest.approx(0, abs=1e-6)


def test_everything_rated_by_everybody_is_met_everywhere():
    ratings = everything_by_everybody()
    model = ImplicitALS(2, 1e-6, 0.5).fit(ratings)
    # (ŷ - 1)² + ½ŷ² is least at ⅔.
    np.testing.assert_allclose(model.user_factors @ model.item_factors.T, 2 / 3, atol=1e-3)


# Rows that a sparse matrix has and no rating fills


@pytest.mark.parametrize("solver", SOLVERS)
def test_users_and_items_without_ratings_have_zeros_for_vectors(solver):
    dense = np.zeros((20, 15), np.float32)
    dense[2:12, 1:9] = np.random.default_rng(0).integers(0, 6, (10, 8))
    ratings = Ratings.from_sparse(csr_array(dense))
    assert ratings.n_users == 20
    check_finite(ImplicitALS(5, solver=solver, epochs=3), ratings)
    check_finite(BiasedALS(5, epochs=3), ratings)
    # That nobody rated an item takes nothing away from the others.
    model = ImplicitALS(5, solver=solver).fit(ratings)
    assert model.item_factors[1:9].any(axis=1).all()


def test_wide_indices_are_the_same_ratings():
    rng = np.random.default_rng(3)
    narrow = csr_array(rng.integers(0, 6, (20, 15)).astype(np.float64))
    wide = narrow.copy()
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    one, other = (ImplicitALS(3).fit(Ratings.from_sparse(m)) for m in (narrow, wide))
    np.testing.assert_array_equal(one.user_factors, other.user_factors)


def test_entries_in_any_order_are_the_same_ratings():
    rng = np.random.default_rng(4)
    users, items = np.nonzero(rng.random((20, 15)) < 0.4)
    order = rng.permutation(len(users))
    ones = np.ones(len(users))
    one, other = (
        ImplicitALS(3).fit(Ratings.from_sparse(coo_array((ones, places), (20, 15))))
        for places in ((users, items), (users[order], items[order]))
    )
    np.testing.assert_array_equal(one.user_factors, other.user_factors)


# What is refused


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_never_reach_a_solver(bad):
    with pytest.raises(InvalidInputError, match=r"values\[1\] is .*only finite numbers"):
        Ratings.from_arrays([0, 0, 1], [0, 1, 1], [1, bad, 2])
    matrix = csr_array(np.array([[1.0, bad], [2.0, 3.0]]))
    with pytest.raises(InvalidInputError, match="finite"):
        Ratings.from_sparse(matrix)


def test_values_too_large_to_square_are_said_to_be():
    huge = some(values=lambda rng, n: rng.uniform(0, 1e30, n))
    for biases in (False, True):
        with pytest.raises(InvalidInputError, match=r"the loss has become .* too large"):
            BiasedALS(3, biases=biases).fit(huge)
    check_finite(ImplicitALS(3), huge)  # which takes them relative to their mean


@pytest.mark.parametrize("model", [ImplicitALS, BiasedALS])
def test_a_matrix_without_ratings_is_refused(model):
    empty = Ratings.from_sparse(csr_array((5, 4), dtype=np.float32))
    with pytest.raises(TooFewRatingsError, match="there are no ratings"):
        model(factors=2).fit(empty)


@pytest.mark.parametrize("model", [ImplicitALS, BiasedALS])
@pytest.mark.parametrize("patience", [0, -1, 1.5, True, None, "2"])
def test_a_senseless_patience_is_refused(model, patience):
    with pytest.raises(InvalidInputError, match="patience must be a whole number of at least 1"):
        model(factors=2).fit(some(), validate=lambda _: 0.0, patience=patience)
