"""The exact solver is the slow one, sooner; in the dual form and without it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.arrays import SparseRows
from recommender.solvers import cholesky, reference
from recommender.solvers.equations import Equations, Standing, widened
from recommender.solvers.instructions import padded
from recommender.solvers.threads import deal_rows
from tests.contracts.solver_contract import FACTORS, SolverContract
from tests.recommender.solvers.problems import problem
from tests.recommender.worlds import seeds

nothing = np.empty(0, np.float32)


class TestCholeskyKeepsTheContract(SolverContract):
    passes = 1

    def solve(self, equations, standing, out):
        return cholesky.solve(equations, standing, out)


def without_the_dual(given):
    """The same equations; that the shared part is diagonal is not told."""
    eigenvalues = given.standing().eigenvalues
    return Standing(widened(given.vectors), given.baselines, nothing, np.diag(eigenvalues))


class TestWithoutTheDualForm(TestCholeskyKeepsTheContract):
    """What folding in uses, and the long rows of training."""

    def standing(self, given):
        return without_the_dual(given)


@given(seed=seeds, k=st.sampled_from((*FACTORS, 64)), baselines=st.booleans())
@settings(max_examples=30)
def test_both_forms_give_the_same(seed, k, baselines):
    given = problem(seed, k, range(1, 40), baselines=baselines)
    dual, normal = given.start(), given.start()
    loss = cholesky.solve(given.equations(), given.standing(), dual)
    same = cholesky.solve(given.equations(), without_the_dual(given), normal)
    np.testing.assert_allclose(dual, normal, rtol=1e-3, atol=1e-4)
    assert loss == pytest.approx(same, rel=1e-5)


@given(seed=seeds, k=st.sampled_from((1, 2, 3, 5, 8, 17, 33, 64)))
@settings(max_examples=30)
def test_with_a_whole_gram_it_agrees_with_the_reference(seed, k):
    given = problem(seed, k, baselines=True)
    other = np.random.default_rng(seed).normal(size=(2 * k, k))
    gram = (other.T @ other / k).astype(np.float32)
    standing = Standing.for_one_row(given.vectors, gram, given.baselines)
    out = np.full((given.matrix.n_rows, padded(k)), np.nan, np.float32)
    cholesky.solve(given.equations(), standing, out)
    weights, goals = given.entries()
    expected = reference.solve_rows(
        given.matrix, weights, weights * goals, given.vectors, gram, given.ridge
    )
    np.testing.assert_allclose(out[:, :k], expected, rtol=2e-3, atol=3e-4)
    assert not out[:, k:].any()


@pytest.mark.parametrize("k", [1, 8, 16, 17])
@pytest.mark.parametrize("n_rated", [1, 3, 8])
def test_without_regularization_a_dependent_direction_is_left_out_not_divided_by(k, n_rated):
    """Fewer ratings than factors: they are met, by a vector of an ordinary size."""
    ones = np.ones(n_rated, np.float32)
    indptr, indices = np.array([0, n_rated]), np.arange(n_rated, dtype=np.int32)
    for seed in range(100):  # one in a hundred leaves a pivot of rounding
        rng = np.random.default_rng(seed)
        vectors = rng.normal(size=(n_rated, k)).astype(np.float32)
        goals = rng.normal(size=n_rated).astype(np.float32)
        matrix = SparseRows(indptr, indices, np.arange(n_rated, dtype=np.uint8), goals, n_rated)
        shortest = np.linalg.norm(np.linalg.pinv(vectors) @ goals)
        for standing in (
            Standing.diagonal(widened(vectors), np.zeros(padded(k), np.float32)),
            Standing.for_one_row(vectors, np.zeros((k, k), np.float32), nothing),
        ):
            out = np.empty((1, padded(k)), np.float32)
            shares = deal_rows(matrix.indptr, 1)
            cholesky.solve(
                Equations(matrix, ones, goals, np.zeros(1, np.float32), shares), standing, out
            )
            assert np.linalg.norm(out) < 1000 * shortest
            if n_rated < k:
                np.testing.assert_allclose(vectors @ out[0, :k], goals, rtol=0.02, atol=0.02)


def test_duplicated_columns_without_regularization_are_shared_or_left_out():
    """Two factors that are one: their sum is what counts."""
    rng = np.random.default_rng(0)
    one = rng.normal(size=(30, 1)).astype(np.float32)
    given = problem(0, 2, [30, 20], n_columns=30).but(
        vectors=np.hstack((one, one)),
        eigenvalues=np.zeros(2, np.float32),
        ridge=np.zeros(2, np.float32),
    )
    out = given.start()
    cholesky.solve(given.equations(), given.standing(), out)
    np.testing.assert_allclose(
        given.vectors @ out[:, :2].T, given.vectors @ given.solution().T, rtol=1e-2, atol=1e-3
    )
