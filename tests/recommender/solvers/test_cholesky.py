"""The fast solver is the slow one, sooner."""

import numpy as np
import pytest
from hypothesis import given, settings

from recommender.arrays import SparseRows
from recommender.solvers import cholesky, reference
from recommender.solvers.cholesky import Standing
from recommender.solvers.threads import deal_rows
from tests.recommender.worlds import random_ratings, seeds


def solve(matrix, weights, targets, vectors, gram, ridge, prepare, threads=2):
    out = np.full((matrix.n_rows, vectors.shape[1]), np.nan, dtype=np.float32)
    shares = deal_rows(matrix.indptr, threads)
    cholesky.solve_rows(matrix, weights, targets, prepare(vectors, gram), ridge, out, shares)
    return out


def an_equation(seed, k):
    rng = np.random.default_rng(seed)
    matrix = random_ratings(rng, n_users=15, n_items=30, n=rng.integers(1, 200)).by_user
    weights = rng.uniform(0, 2, len(matrix.values)).astype(np.float32)
    weights[rng.random(len(weights)) < 0.2] = 0
    targets = (weights * rng.normal(size=len(weights))).astype(np.float32)
    vectors = rng.normal(size=(matrix.n_columns, k)).astype(np.float32)
    gram = (0.3 * vectors.T @ vectors).astype(np.float32)
    ridge = rng.uniform(0.05, 2, matrix.n_rows).astype(np.float32)
    return matrix, weights, targets, vectors, gram, ridge


@pytest.mark.parametrize("prepare", [Standing.for_many_rows, Standing.for_one_row])
@pytest.mark.parametrize("k", [1, 2, 3, 5, 8, 33, 64])
@given(seed=seeds)
@settings(max_examples=15)
def test_it_agrees_with_the_reference(prepare, k, seed):
    equation = an_equation(seed, k)
    expected = reference.solve_rows(*equation)
    np.testing.assert_allclose(solve(*equation, prepare), expected, rtol=2e-3, atol=2e-4)


@given(seed=seeds)
@settings(max_examples=10)
def test_the_number_of_threads_changes_nothing(seed):
    equation = an_equation(seed, 16)
    one = solve(*equation, Standing.for_many_rows, threads=1)
    for threads in (2, 3, 7):
        many = solve(*equation, Standing.for_many_rows, threads=threads)
        np.testing.assert_array_equal(one, many)


def test_rows_without_entries_are_zero():
    rng = np.random.default_rng(0)
    ratings = random_ratings(rng)
    empty = ratings.select(ratings.user_rows != 0).by_user
    k = 4
    vectors = rng.normal(size=(ratings.n_items, k)).astype(np.float32)
    weights = np.ones(len(empty.values), np.float32)
    ridge = np.ones(ratings.n_users, np.float32)
    solved = solve(
        empty, weights, weights, vectors, np.eye(k, dtype=np.float32), ridge, Standing.for_many_rows
    )
    assert not solved[0].any()
    assert solved[1:].any(axis=1).all()


@pytest.mark.parametrize("prepare", [Standing.for_many_rows, Standing.for_one_row])
def test_without_regularization_a_dependent_direction_is_left_out_not_divided_by(prepare):
    """Three ratings, eight factors: the ratings are met by a vector of an ordinary size."""
    k, n_rated = 8, 3
    ones, nothing = np.ones(n_rated, np.float32), np.zeros((k, k), np.float32)
    matrix = SparseRows(np.array([0, n_rated]), np.arange(n_rated, dtype=np.int32), ones, n_rated)
    for seed in range(400):  # one in a hundred leaves a pivot of rounding
        rng = np.random.default_rng(seed)
        vectors = rng.normal(size=(n_rated, k)).astype(np.float32)
        targets = rng.normal(size=n_rated).astype(np.float32)
        solved = solve(matrix, ones, targets, vectors, nothing, np.zeros(1, np.float32), prepare)[0]
        shortest = np.linalg.norm(np.linalg.pinv(vectors) @ targets)
        assert np.linalg.norm(solved) < 1000 * shortest


def test_bad_numbers_come_out_as_bad_numbers():
    matrix, weights, targets, vectors, gram, ridge = an_equation(3, 4)
    vectors[matrix.indices[0]] = np.nan
    solved = solve(matrix, weights, targets, vectors, gram, ridge, Standing.for_one_row)
    assert np.isnan(solved).any()


@given(seed=seeds)
@settings(max_examples=15)
def test_the_squares_agree_with_a_loop(seed):
    matrix, weights, targets, vectors, _, _ = an_equation(seed, 5)
    rows = np.random.default_rng(seed).normal(size=(matrix.n_rows, 5)).astype(np.float32)
    expected = 0.0
    for row in range(matrix.n_rows):
        for entry in range(matrix.indptr[row], matrix.indptr[row + 1]):
            product = float(rows[row].astype(float) @ vectors[matrix.indices[entry]].astype(float))
            expected += float(weights[entry]) * (product - float(targets[entry])) ** 2
    found = cholesky.observed_squares(
        matrix, weights, targets, rows, vectors, deal_rows(matrix.indptr, 3)
    )
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_rows_are_dealt_once_each_and_evenly():
    indptr = np.concatenate(([0], np.cumsum(np.arange(100))))
    shares = deal_rows(indptr, 3)
    assert sorted(np.concatenate(shares).tolist()) == list(range(100))
    loads = [np.diff(indptr)[share].sum() for share in shares]
    assert max(loads) - min(loads) <= 99


def test_a_kernel_without_a_place_for_its_machine_code_works_all_the_same():
    scope = {}
    exec("def double(x):\n    return 2 * x", scope)  # from no file, so beside none
    assert cholesky.kernel(scope["double"])(21) == 42
