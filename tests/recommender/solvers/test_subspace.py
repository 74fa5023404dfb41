"""Block by block: one block is exact, many passes are the solution."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.solvers import cholesky, subspace
from tests.contracts.solver_contract import FACTORS, SolverContract
from tests.recommender.solvers.problems import problem
from tests.recommender.worlds import seeds


class TestSubspaceKeepsTheContract(SolverContract):
    passes = 40

    def solve(self, equations, standing, out):
        return subspace.solve(equations, standing, out)


@given(seed=seeds, k=st.sampled_from((1, subspace.BLOCK - 1, subspace.BLOCK)))
@settings(max_examples=20)
def test_a_single_block_is_solved_exactly(seed, k):
    given = problem(seed, k, baselines=True)
    out, exact = given.start(seed), given.start()
    loss = subspace.solve(given.equations(), given.standing(), out)
    least = cholesky.solve(given.equations(), given.standing(), exact)
    np.testing.assert_allclose(out, exact, rtol=2e-3, atol=3e-4)
    assert loss == pytest.approx(least, rel=1e-5)


@given(seed=seeds, k=st.sampled_from((*FACTORS, 64, 128)))
@settings(max_examples=20)
def test_many_passes_are_the_solution(seed, k):
    given = problem(seed, k)
    out, exact = given.start(seed), given.start()
    for _ in range(60):
        loss = subspace.solve(given.equations(), given.standing(), out)
    least = cholesky.solve(given.equations(), given.standing(), exact)
    np.testing.assert_allclose(out, exact, rtol=2e-3, atol=3e-4)
    assert loss == pytest.approx(least, rel=1e-5)


def test_after_a_pass_the_last_block_could_not_be_better():
    """The gradient by the last block is zero; by the first it is not, which moved before."""
    k = 3 * subspace.BLOCK
    given = problem(7, k, [200, 600, 30], n_columns=600)
    out = given.start(1)
    subspace.solve(given.equations(), given.standing(), out)
    weights, goals = given.entries()
    for row in range(3):
        entries = slice(*given.matrix.indptr[row : row + 2])
        x = given.vectors[given.matrix.indices[entries]].astype(float)
        gap = weights[entries] * (x @ out[row, :k] - goals[entries])
        gradient = x.T @ gap + (given.eigenvalues + given.ridge[row]) * out[row, :k]
        assert np.abs(gradient[-subspace.BLOCK :]).max() < 1e-4
        assert np.abs(gradient[: subspace.BLOCK]).max() > 1e-2
