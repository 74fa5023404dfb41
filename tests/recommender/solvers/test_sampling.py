"""Draws against their own definition, in float64 and row by row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.arrays import SparseRows
from recommender.solvers.instructions import padded
from recommender.solvers.sampling import Linked, draw, residuals
from recommender.solvers.threads import deal_rows
from tests.recommender.worlds import seeds


class Problem:
    """Rows with targets, and a normal prior, of k columns in a padded table."""

    def __init__(self, seed, k, lengths, n_columns=40, threads=1):
        rng = np.random.default_rng(seed)
        self.k, width = k, padded(k)
        chosen = [np.sort(rng.choice(n_columns, n, replace=False)) for n in lengths]
        indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        indices = np.concatenate([*chosen, []]).astype(np.int32)
        self.matrix = SparseRows.of_ones(indptr, indices, n_columns)
        self.vectors = np.zeros((n_columns, width), np.float32)
        self.vectors[:, :k] = rng.normal(size=(n_columns, k))
        self.baselines = rng.normal(size=n_columns).astype(np.float32)
        self.targets = rng.normal(size=len(indices)).astype(np.float32)
        half = rng.normal(size=(k, k))
        self.precision = np.eye(width, dtype=np.float32)
        self.precision[:k, :k] = half @ half.T / k + 0.5 * np.eye(k)
        self.ridge = rng.uniform(0, 2, len(lengths)).astype(np.float32)
        self.means = np.zeros((len(lengths), width), np.float32)
        self.means[:, :k] = rng.normal(size=(len(lengths), k))
        self.shares = deal_rows(indptr, threads)

    def linked(self):
        return Linked(self.matrix, self.targets, self.shares)

    def draw(self, noise=None):
        out = (self.means @ self.precision).astype(np.float32)
        noise = np.zeros_like(out) if noise is None else noise
        draw(self.linked(), self.vectors, self.baselines, self.precision, self.ridge, noise, out)
        return out

    def equation(self, row):
        """A and b of one row, in float64."""
        k = self.k
        entries = slice(self.matrix.indptr[row], self.matrix.indptr[row + 1])
        columns = self.matrix.indices[entries]
        x = self.vectors[columns, :k].astype(float)
        t = self.targets[entries].astype(float) - self.baselines[columns]
        P = self.precision[:k, :k].astype(float)
        A = P + self.ridge[row] * np.eye(k) + x.T @ x
        return A, P @ self.means[row, :k] + x.T @ t


LENGTHS = [0, 1, 7, 8, 9, 33, 128, 129, 257, 700]


@given(seeds, st.sampled_from([1, 15, 16, 17, 33]), st.lists(st.integers(0, 40), max_size=6))
@settings(max_examples=40)
def test_without_noise_it_is_the_mean(seed, k, lengths):
    check_means(Problem(seed, k, lengths))


@pytest.mark.parametrize("k", [1, 16, 31, 48])
def test_rows_of_every_length_have_their_mean(k):
    check_means(Problem(k, k, LENGTHS, n_columns=700))


def check_means(problem):
    out = problem.draw()
    for row in range(len(out)):
        expected = np.linalg.solve(*problem.equation(row))
        np.testing.assert_allclose(out[row, : problem.k], expected, rtol=2e-3, atol=2e-4)
    assert not out[:, problem.k :].any()


@pytest.mark.parametrize("k", [1, 16, 33])
def test_what_noise_adds_has_the_covariance_of_the_row(k):
    """A draw is mean + U⁻¹z: draws of all unit vectors show U⁻¹, and with it U⁻¹U⁻ᵀ = A⁻¹."""
    problem = Problem(k, k, [0, 3, 30, 40, 17])
    middle = problem.draw()
    units = []
    for direction in range(k):
        noise = np.zeros_like(middle)
        noise[:, direction] = 1
        units.append((problem.draw(noise) - middle)[:, :k].astype(float))
    for row in range(len(middle)):
        root = np.stack([unit[row] for unit in units], axis=1)
        A, _ = problem.equation(row)
        np.testing.assert_allclose(root @ root.T, np.linalg.inv(A), rtol=2e-3, atol=2e-4)


def test_no_bit_depends_on_the_threads_or_on_the_width_of_the_columns():
    one, three = Problem(1, 17, LENGTHS, 700), Problem(1, 17, LENGTHS, 700, threads=3)
    wide = Problem(1, 17, LENGTHS, 700)
    matrix = wide.matrix
    wide.matrix = SparseRows(matrix.indptr, matrix.indices, matrix.codes, matrix.levels, 70_000)
    noise = np.random.default_rng(0).normal(size=one.means.shape).astype(np.float32)
    expected = one.draw(noise)
    np.testing.assert_array_equal(three.draw(noise), expected)
    np.testing.assert_array_equal(wide.draw(noise), expected)


@given(seeds, st.sampled_from([1, 16, 17]), st.lists(st.integers(0, 40), max_size=6))
@settings(max_examples=30)
def test_residuals_are_what_products_leave(seed, k, lengths):
    problem = Problem(seed, k, lengths)
    left = residuals(problem.linked(), problem.vectors, problem.baselines, problem.means)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    columns = problem.matrix.indices
    expected = problem.targets - problem.baselines[columns]
    expected -= np.einsum("nk,nk->n", problem.means[rows], problem.vectors[columns])
    np.testing.assert_allclose(left, expected, rtol=1e-4, atol=1e-4)
