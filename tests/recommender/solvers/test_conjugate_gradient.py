"""Steps from where a row stands: few improve it, many solve it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.solvers import cholesky, conjugate_gradient
from recommender.solvers.instructions import GROUP, LANES
from tests.contracts.solver_contract import FACTORS, SolverContract
from tests.recommender.solvers.problems import problem
from tests.recommender.worlds import seeds


class TestConjugateGradientKeepsTheContract(SolverContract):
    passes = 30

    def solve(self, equations, standing, out):
        return conjugate_gradient.solve(equations, standing, out)


class TestWithOneStep(TestConjugateGradientKeepsTheContract):
    """The first step is the last as well: steepest descent, preconditioned."""

    passes = 300

    def solve(self, equations, standing, out):
        return conjugate_gradient.solve(equations, standing, out, steps=1)


@given(seed=seeds, k=st.sampled_from((*FACTORS, 64)), baselines=st.booleans())
@settings(max_examples=30)
def test_sixty_steps_are_the_solution(seed, k, baselines):
    given = problem(seed, k, baselines=baselines)
    out, exact = given.start(seed), given.start()
    loss = conjugate_gradient.solve(given.equations(), given.standing(), out, steps=60)
    least = cholesky.solve(given.equations(), given.standing(), exact)
    np.testing.assert_allclose(out, exact, rtol=2e-3, atol=3e-4)
    np.testing.assert_allclose(out[:, :k], given.solution(), rtol=2e-3, atol=3e-4)
    assert loss == pytest.approx(least, rel=1e-5)


@pytest.mark.parametrize("lengths", [range(40), [2900, 3000]])
def test_each_step_more_comes_nearer(lengths):
    """Rows that fit into a tile, and rows that do not."""
    given = problem(5, 48, lengths, n_columns=max(lengths) + 1)
    exact = given.losses(given.solution()).sum()
    gaps = []
    for steps in range(1, 8):
        out = given.start(1)
        loss = conjugate_gradient.solve(given.equations(), given.standing(), out, steps=steps)
        gaps.append(loss - exact)
    assert (np.diff(gaps) < 0).all()
    assert gaps[-1] < 1e-3 * gaps[0]


def test_a_row_is_solved_alike_in_a_tile_and_in_blocks(monkeypatch):
    """Long rows are those that a smaller tile does not hold: the same steps, the same rows."""
    given = problem(6, 48, [100, 900, 1000, 30], n_columns=1000)
    out, blocks = given.start(1), given.start(1)
    loss = conjugate_gradient.solve(given.equations(), given.standing(), out)
    monkeypatch.setattr(conjugate_gradient, "_TILE", 200 * 48)
    same = conjugate_gradient.solve(given.equations(), given.standing(), blocks)
    assert not np.array_equal(out[:3], blocks[:3])  # another order of the sums
    np.testing.assert_array_equal(out[3], blocks[3])
    np.testing.assert_allclose(out, blocks, rtol=1e-4, atol=1e-5)
    assert loss == pytest.approx(same, rel=1e-6)


def test_tiles_and_blocks_hold_whole_groups_whatever_the_width(monkeypatch):
    """Kernels fill groups up: a tile of 1,364 rows would be written beyond its end."""
    sizes = []

    def spy(*given):
        sizes.append(given[-1])
        return 0.0

    monkeypatch.setattr(conjugate_gradient, "_solve_short", spy)
    monkeypatch.setattr(conjugate_gradient, "_solve_long", spy)
    for k in range(LANES, 2048 + 1, LANES):
        given = problem(0, k, [0, 1])
        conjugate_gradient.solve(given.equations(), given.standing(), given.start())
    assert len(sizes) == 2 * (2048 // LANES)
    assert all(size > 0 and size % GROUP == 0 for size in sizes)
