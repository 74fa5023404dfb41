"""What every solver must do; each one's test inherits it."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from recommender.solvers.instructions import LANES
from recommender.solvers.threads import deal_rows
from tests.recommender.solvers.problems import problem
from tests.recommender.worlds import seeds

# Each test of the class runs once for each solver that inherits it.
inherited = settings(max_examples=25, suppress_health_check=[HealthCheck.differing_executors])

FACTORS = (1, LANES - 1, LANES, LANES + 1, 2 * LANES + 1)


class SolverContract:
    """Inherit, and give ``solve(equations, standing, out)`` and how many passes are enough."""

    passes: int

    def solve(self, equations, standing, out):
        raise AssertionError("each solver's test says how it is called")

    def standing(self, given):
        return given.standing()

    def run(self, given, out=None, passes=1, shares=None):
        """Return the rows after so many passes, and what the last one returned."""
        out = given.start() if out is None else out
        loss = np.inf
        for _ in range(passes):
            loss = self.solve(given.equations(shares), self.standing(given), out)
        return out, loss

    def check_solved(self, given):
        out, loss = self.run(given, passes=self.passes)
        expected = given.solution()
        np.testing.assert_allclose(out[:, : given.k], expected, rtol=2e-3, atol=3e-4)
        assert not out[:, given.k :].any()
        assert loss == pytest.approx(given.losses(expected).sum(), rel=1e-5)

    @given(seed=seeds, k=st.sampled_from(FACTORS), baselines=st.booleans())
    @inherited
    def test_after_enough_passes_it_agrees_with_the_reference(self, seed, k, baselines):
        self.check_solved(problem(seed, k, baselines=baselines))

    @pytest.mark.parametrize("baselines", [False, True])
    @pytest.mark.parametrize("k", [1, 15, 16, 17, 33, 48, 64])
    def test_rows_of_every_length_agree_with_the_reference(self, k, baselines):
        """Around each length at which a solver does something else; the last are dense."""
        lengths = [1, 7, 8, 9, 11, 12, 13, 24, 25, 36, 37, 48, 49, 127, 128, 129, 257]
        lengths += [511, 512, 513, 1023, 1361, 2047, 2048, 2049, 3000]
        self.check_solved(problem(k, k, lengths, n_columns=3000, baselines=baselines))

    @pytest.mark.parametrize("k", [16, 144])
    def test_a_row_with_thousands_of_entries_agrees_with_the_reference(self, k):
        """Among rows that are short, and as long but elsewhere."""
        given = problem(k, k, [9000, 5, 8200, 9000, 0], n_columns=9000)
        late = given.matrix.indices.copy()
        begin, end = given.matrix.indptr[2:4]
        late[begin:end] = np.arange(9000 - (end - begin), 9000)
        matrix = type(given.matrix)(
            given.matrix.indptr, late, given.matrix.codes, given.matrix.levels, 9000
        )
        self.check_solved(given.but(matrix=matrix))

    def test_numbers_of_more_than_65536_columns_give_the_same_bits(self):
        """They take 32 bits: for the solvers that is another type, compiled by itself."""
        given = problem(3, 17, [0, 5, 40, 300, 2000], n_columns=2000)
        narrow = given.matrix
        wide = type(narrow)(narrow.indptr, narrow.indices, narrow.codes, narrow.levels, 70_000)
        assert (narrow.indices.dtype, wide.indices.dtype) == (np.uint16, np.int32)
        expected, out = given.start(), given.start()
        loss = self.solve(given.equations(), self.standing(given), expected)
        assert self.solve(given.but(matrix=wide).equations(), self.standing(given), out) == loss
        np.testing.assert_array_equal(out, expected)

    @given(seed=seeds, k=st.sampled_from(FACTORS), baselines=st.booleans())
    @inherited
    def test_it_returns_the_loss_of_the_rows_where_they_have_come_to(self, seed, k, baselines):
        given = problem(seed, k, baselines=baselines)
        out = given.start(seed)
        before = given.losses(out).sum()
        for _ in range(4):
            _, loss = self.run(given, out)
            after = given.losses(out).sum()
            assert loss == pytest.approx(after, rel=1e-5)
            assert after <= before * (1 + 1e-6)
            before = after

    @given(seed=seeds, k=st.sampled_from(FACTORS))
    @inherited
    def test_who_is_at_the_solution_stays_there(self, seed, k):
        given = problem(seed, k)
        there = given.start()
        there[:, :k] = given.solution()
        out, loss = self.run(given, there.copy())
        np.testing.assert_allclose(out, there, rtol=1e-3, atol=1e-4)
        assert loss == pytest.approx(given.losses(there).sum(), rel=1e-5)

    def test_rows_without_entries_become_zero(self):
        given = problem(1, 5, [0, 3, 0, 40, 0])
        out, _ = self.run(given)
        assert not out[[0, 2, 4]].any()
        assert out[[1, 3], :5].all()

    def test_no_entries_at_all(self):
        given = problem(1, 5, [0, 0])
        out, loss = self.run(given)
        assert not out.any()
        assert loss == 0

    def test_rows_that_are_in_no_share_are_left_alone(self):
        given = problem(2, 17, [3, 30, 0, 12, 5])
        out = given.start()
        before = out.copy()
        _, loss = self.run(given, out, shares=[np.array([3]), np.array([1])])
        np.testing.assert_array_equal(out[[0, 2, 4]], before[[0, 2, 4]])
        whole, _ = self.run(given)
        np.testing.assert_array_equal(out[[1, 3]], whole[[1, 3]])
        assert loss == pytest.approx(given.losses(out)[[1, 3]].sum(), rel=1e-5)

    def test_baselines_are_taken_off_the_goals(self):
        """Where they explain everything, nothing is left for the vectors."""
        given = problem(3, 6)
        same = given.but(
            goals=np.full_like(given.goals, 2.5), baselines=np.full(40, 2.5, np.float32)
        )
        out, loss = self.run(same, passes=self.passes)
        assert np.abs(out).max() < 1e-6
        assert loss == pytest.approx(0, abs=1e-9)

    @given(seed=seeds, k=st.sampled_from(FACTORS))
    @inherited
    def test_entries_of_weight_zero_say_nothing(self, seed, k):
        given = problem(seed, k)
        silent = int(np.argmin(given.weights))
        assert given.weights[silent] == 0
        goals = given.goals.copy()
        goals[silent] = 1000
        loud, loss = self.run(given.but(goals=goals), passes=3)
        out, expected = self.run(given, passes=3)
        np.testing.assert_array_equal(loud, out)
        assert loss == expected

    def test_weights_of_zero_alone_leave_zero(self):
        given = problem(4, 17)
        given = given.but(weights=np.zeros_like(given.weights))
        out, loss = self.run(given, passes=self.passes)
        assert np.isfinite(out).all()
        assert np.abs(out).max() < 1e-6
        assert loss == pytest.approx(0, abs=1e-9)

    @given(seed=seeds, k=st.sampled_from(FACTORS), threads=st.sampled_from([2, 3, 7, 25]))
    @inherited
    def test_the_number_of_threads_changes_nothing(self, seed, k, threads):
        """25 are more than there are rows."""
        given = problem(seed, k)
        one, loss = self.run(given, passes=2)
        shares = deal_rows(given.matrix.indptr, threads)
        many, sum_of_parts = self.run(given, passes=2, shares=shares)
        np.testing.assert_array_equal(one, many)
        assert loss == pytest.approx(sum_of_parts, rel=1e-12)

    @given(
        seed=seeds,
        k=st.sampled_from(FACTORS),
        size=st.sampled_from([0, 1e-30, 1e-20, 1e-10, 1, 1e3]),
        start=st.sampled_from([0, 1e-30, 1e-20, 1, 1e3]),
        shared=st.sampled_from([0, 1e-6, 1, 1e6]),
        held=st.sampled_from([0, 1e-20, 1e-3, 1e6]),
        weighted=st.booleans(),
    )
    @inherited
    def test_finite_numbers_give_finite_numbers(self, seed, k, size, start, shared, held, weighted):
        """However small they are, and where nothing holds the rows or nothing pulls them."""
        assume(size > 1e-15 or held)  # else the solution itself is infinite
        given = problem(seed, k)
        given = given.but(
            vectors=np.float32(size) * given.vectors,
            eigenvalues=np.float32(shared * size**2)
            * given.eigenvalues,  # as those of a Gram matrix
            ridge=np.float32(held) * given.ridge,
            weights=given.weights * np.float32(weighted),
        )
        out = given.start(seed, start)
        for _ in range(6):
            _, loss = self.run(given, out)
            assert np.isfinite(out).all()
            assert np.isfinite(loss)

    def test_bad_numbers_come_out_as_bad_numbers(self):
        for seed, k in enumerate(FACTORS):
            given = problem(seed, k, [3, 40, 20])
            vectors = given.vectors.copy()
            vectors[given.matrix.indices[0]] = np.nan
            out, loss = self.run(given.but(vectors=vectors))
            assert np.isnan(out[0]).any()
            assert np.isnan(loss)
