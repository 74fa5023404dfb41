"""Blocks of a symmetric matrix, LANES by LANES: each operation is a line of NumPy, sooner."""

import numpy as np
import pytest

from recommender.compiling import kernel
from recommender.solvers import vectors
from recommender.solvers.instructions import GROUP, LANES

WIDTHS = (LANES, 2 * LANES, 4 * LANES)

blocks = pytest.mark.parametrize("width", WIDTHS)


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def world(width=LANES):
    rng = np.random.default_rng(width)
    return rng, floats(rng, 50, width)


def floats(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


@kernel
def call_transpose_block(T, e, i, scale, Z):
    vectors.transpose_block(T, e, i, scale, Z)


@kernel
def call_add_products(A, i, j, T, n):
    vectors.add_products(A, i, j, T, n)


@kernel
def call_add_squares(A, i, T, n):
    vectors.add_squares(A, i, T, n)


@kernel
def call_subtract_finished(U, first, i, j):
    vectors.subtract_finished(U, first, i, j)


@kernel
def call_factorize_block(A, i, floor):
    vectors.factorize_block(A, i, np.float32(floor))


@kernel
def call_solve_block(U, i, j):
    vectors.solve_block(U, i, j)


@kernel
def call_forward_block(U, i, last, y):
    vectors.forward_block(U, i, last, y)


@kernel
def call_backward_block(U, i, last, y):
    vectors.backward_block(U, i, last, y)


@blocks
def test_transpose_block(width):
    rng, T = world(width)
    for e in (0, LANES):
        for i in range(0, width, LANES):
            scale, Z = floats(rng, width), np.full((width, 3 * LANES), 9, np.float32)
            expected = Z.copy()
            block = T[e : e + LANES, i : i + LANES] * scale[i : i + LANES]
            expected[i : i + LANES, e : e + LANES] = block.T
            call_transpose_block(T, e, i, scale, Z)
            np.testing.assert_array_equal(Z, expected)


@pytest.mark.parametrize("n", [0, 1, GROUP, 37])
@blocks
def test_add_products(width, n):
    rng, T = world(width)
    for i in range(0, width, LANES):
        for j in range(i, width, LANES):
            A = floats(rng, width, width)
            expected = A.copy()
            here = (slice(i, i + LANES), slice(j, j + LANES))
            expected[here] += T[:n, here[0]].T @ T[:n, here[1]]
            call_add_products(A, i, j, T, n)
            close(A, expected)


@pytest.mark.parametrize("n", [0, 1, GROUP, 37])
@blocks
def test_add_squares_on_and_above_the_diagonal(width, n):
    rng, T = world(width)
    for i in range(0, width, LANES):
        A = floats(rng, width, width)
        expected = A.copy()
        here = slice(i, i + LANES)
        expected[here, here] += T[:n, here].T @ T[:n, here]
        call_add_squares(A, i, T, n)
        close(np.triu(A[here, here]), np.triu(expected[here, here]))
        A[here, here] = expected[here, here] = 0
        np.testing.assert_array_equal(A, expected)  # and nothing beside


@blocks
def test_subtract_finished(width):
    rng, _ = world(width)
    for first in range(0, width, LANES):
        for i in range(first, width, LANES):
            U = floats(rng, width, width)
            expected = U.copy()
            above, j = slice(first, i), width - LANES
            expected[i : i + LANES, j:] -= U[above, i : i + LANES].T @ U[above, j:]
            call_subtract_finished(U, first, i, j)
            close(U, expected)


def positive(rng, size=LANES):
    root = rng.normal(size=(2 * size, size))
    return (root.T @ root / size + np.eye(size)).astype(np.float32)


@blocks
def test_factorize_block(width):
    rng, _ = world(width)
    i = width - LANES
    A = floats(rng, width, width)
    block = positive(rng)
    A[i:, i:] = block
    before = A.copy()
    call_factorize_block(A, i, 0.0)
    U = np.linalg.cholesky(block.astype(float)).T
    found = A[i:, i:]
    close(np.triu(found, 1), np.triu(U, 1))
    close(np.diagonal(found), 1 / np.diagonal(U))
    close(np.tril(found), np.tril(np.linalg.inv(U).T))
    A[i:, i:] = before[i:, i:]
    np.testing.assert_array_equal(A, before)


@pytest.mark.parametrize("lane", [0, 3, LANES - 1])
def test_a_dependent_pivot_is_left_out(lane):
    """As if its row and column were not there: zeros, and the others solved without it."""
    rng, _ = world(LANES)
    block = positive(rng)
    block[lane, lane] = 0
    call_factorize_block(block, 0, 1e-3)
    assert not block[lane, : lane + 1].any()
    assert not block[lane, lane:].any()
    assert np.isfinite(block).all()


@pytest.mark.parametrize("lane", [0, 3, LANES - 1])
def test_a_pivot_of_nan_stays_nan(lane):
    """Not above the floor, and yet no dependent direction: bad numbers come out as such."""
    rng, _ = world(LANES)
    block = positive(rng)
    block[lane, lane] = np.nan
    call_factorize_block(block, 0, 1e-3)
    assert np.isnan(block[lane, lane])
    y = np.ones(LANES, np.float32)
    call_forward_block(block, 0, LANES, y)
    assert np.isnan(y[lane])


def factorized(rng, width):
    """A as the blocks leave it, and its factor U in full."""
    A = positive(rng, width)
    U = np.linalg.cholesky(A.astype(float)).T
    kept = A.copy()
    for i in range(0, width, LANES):
        for j in range(i, width, LANES):
            call_subtract_finished(kept, 0, i, j)
        call_factorize_block(kept, i, 0.0)
        for j in range(i + LANES, width, LANES):
            call_solve_block(kept, i, j)
    return kept, U


@blocks
def test_solve_block_finishes_a_row_of_blocks(width):
    rng, _ = world(width)
    kept, U = factorized(rng, width)
    for i in range(0, width, LANES):
        for j in range(i + LANES, width, LANES):
            here = (slice(i, i + LANES), slice(j, j + LANES))
            close(kept[here], U[here])


@blocks
def test_forward_and_backward_blocks_solve(width):
    rng, _ = world(width)
    kept, U = factorized(rng, width)
    y = floats(rng, width)
    expected = np.linalg.solve(U.T, y)
    for i in range(0, width, LANES):
        call_forward_block(kept, i, width, y)
        close(y[: i + LANES], expected[: i + LANES])
    close(y, expected)
    expected = np.linalg.solve(U, expected)
    for i in range(width - LANES, -1, -LANES):
        call_backward_block(kept, i, width, y)
        close(y[i:], expected[i:])


@pytest.mark.parametrize("place", [0, LANES - 1, 2 * LANES])
def test_nan_stays_nan_in_squares_and_products(place):
    _, T = world(4 * LANES)
    T[:, place] = np.nan
    A = np.zeros((4 * LANES, 4 * LANES), np.float32)
    first = place // LANES * LANES
    call_add_squares(A, first, T, 9)
    call_add_products(A, first, 3 * LANES, T, 9)
    assert np.isnan(A[place, place])
    assert np.isnan(A[place, 3 * LANES :]).all()
