"""Each operation on vectors is one line of NumPy, sooner."""

import numpy as np
import pytest

from recommender.compiling import kernel
from recommender.solvers import vectors
from recommender.solvers.instructions import GROUP, LANES, padded

WIDTHS = (LANES, 2 * LANES, 4 * LANES)
"""Of matrices. Operations on columns are tried on all of them and on some in the middle."""

spans = pytest.mark.parametrize(
    ("first", "last"),
    [(0, width) for width in WIDTHS] + [(LANES, 2 * LANES), (LANES, 4 * LANES)],
)
blocks = pytest.mark.parametrize("width", WIDTHS)


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def world(width=4 * LANES):
    """(50, width) rows, and which to take: 24 numbers, some twice, of which 8 from place 8 on."""
    rng = np.random.default_rng(width)
    X = rng.normal(size=(50, width)).astype(np.float32)
    return rng, X, rng.integers(0, 50, 3 * GROUP).astype(np.int32)


def floats(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


@kernel
def call_dots(X, rows, at, first, last, p, out):
    vectors.dots(X, rows, at, first, last, p, out)


@kernel
def call_add_rows(X, rows, at, first, last, c, q):
    vectors.add_rows(X, rows, at, first, last, c, q)


@kernel
def call_add_projections(X, rows, at, first, last, c, p, q):
    vectors.add_projections(X, rows, at, first, last, c, p, q)


@kernel
def call_add_residuals(X, rows, at, first, last, scale, target, y, left, q):
    vectors.add_residuals(X, rows, at, first, last, scale, target, y, left, q)


@kernel
def call_gather_residuals(X, rows, at, ahead, first, last, scale, target, tile, y, left, q):
    vectors.gather_residuals(X, rows, at, ahead, first, last, scale, target, tile, y, left, q)


@kernel
def call_gather(X, rows, at, ahead, first, last, scale, tile, to):
    vectors.gather(X, rows, at, ahead, first, last, scale, tile, to)


@kernel
def call_fetch(X, rows, at, first, last):
    vectors.fetch(X, rows, at, first, last)


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


def test_widths_are_rounded_up_to_whole_vectors():
    assert [padded(k) for k in (0, 1, LANES, LANES + 1)] == [0, LANES, LANES, 2 * LANES]


# Eight rows and a vector


@spans
def test_dots(first, last):
    rng, X, rows = world()
    p, out = floats(rng, 4 * LANES), np.full(3 * GROUP, 9, np.float32)
    call_dots(X, rows, GROUP, first, last, p, out)
    close(out[GROUP : 2 * GROUP], X[rows[8:16], first:last] @ p[first:last])
    assert (out[:GROUP] == 9).all()
    assert (out[2 * GROUP :] == 9).all()


@spans
def test_add_rows(first, last):
    rng, X, rows = world()
    c, q = floats(rng, 3 * GROUP), floats(rng, 4 * LANES)
    expected = q.copy()
    expected[first:last] += c[8:16] @ X[rows[8:16], first:last]
    call_add_rows(X, rows, GROUP, first, last, c, q)
    close(q, expected)


@spans
def test_add_projections(first, last):
    rng, X, rows = world()
    c, p, q = floats(rng, 3 * GROUP), floats(rng, 4 * LANES), floats(rng, 4 * LANES)
    x = X[rows[8:16], first:last]
    expected = q.copy()
    expected[first:last] += (c[8:16] * (x @ p[first:last])) @ x
    call_add_projections(X, rows, GROUP, first, last, c, p, q)
    close(q, expected)


@spans
def test_add_residuals(first, last):
    rng, X, rows = world()
    scale, target, y = floats(rng, 3 * GROUP), floats(rng, 3 * GROUP), floats(rng, 4 * LANES)
    left, q = np.full(3 * GROUP, 9, np.float32), floats(rng, 4 * LANES)
    x, eight = X[rows[8:16], first:last], slice(8, 16)
    residual = target[eight] - scale[eight] * (x @ y[first:last])
    expected = q.copy()
    expected[first:last] += (scale[eight] * residual) @ x
    call_add_residuals(X, rows, GROUP, first, last, scale, target, y, left, q)
    close(left[eight], residual)
    assert (left[:8] == 9).all()
    assert (left[16:] == 9).all()
    close(q, expected)


@spans
def test_gather_residuals(first, last):
    """Rows come into the tile at their own places, times their scales."""
    rng, X, rows = world()
    scale, target, y = floats(rng, 3 * GROUP), floats(rng, 3 * GROUP), floats(rng, 4 * LANES)
    left, q = np.full(3 * GROUP, 9, np.float32), floats(rng, 4 * LANES)
    tile = np.full((3 * GROUP, 4 * LANES), 9, np.float32)
    eight = slice(8, 16)
    x = scale[eight, None] * X[rows[eight], first:last]
    residual = target[eight] - x @ y[first:last]
    expected, gathered = q.copy(), tile.copy()
    expected[first:last] += residual @ x
    gathered[eight, first:last] = x
    call_gather_residuals(X, rows, GROUP, 2 * GROUP, first, last, scale, target, tile, y, left, q)
    close(tile, gathered)
    close(left[eight], residual)
    close(q, expected)


@spans
def test_gather(first, last):
    rng, X, rows = world()
    scale = floats(rng, 3 * GROUP)
    tile = np.full((5 * GROUP, 4 * LANES), 9, np.float32)
    expected = tile.copy()
    expected[32:40, first:last] = scale[8:16, None] * X[rows[8:16], first:last]
    call_gather(X, rows, GROUP, 2 * GROUP, first, last, scale, tile, 32)
    np.testing.assert_array_equal(tile, expected)


def test_fetch_changes_nothing():
    _, X, rows = world()
    before = X.copy()
    call_fetch(X, rows, GROUP, 0, 4 * LANES)
    np.testing.assert_array_equal(X, before)


# Blocks


@blocks
def test_transpose_block(width):
    rng, T, _ = world(width)
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
    rng, T, _ = world(width)
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
    rng, T, _ = world(width)
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
    rng, _, _ = world(width)
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
    rng, _, _ = world(width)
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
    rng, _, _ = world(LANES)
    block = positive(rng)
    block[lane, lane] = 0
    call_factorize_block(block, 0, 1e-3)
    assert not block[lane, : lane + 1].any()
    assert not block[lane, lane:].any()
    assert np.isfinite(block).all()


@pytest.mark.parametrize("lane", [0, 3, LANES - 1])
def test_a_pivot_of_nan_stays_nan(lane):
    """Not above the floor, and yet no dependent direction: bad numbers come out as such."""
    rng, _, _ = world(LANES)
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
    rng, _, _ = world(width)
    kept, U = factorized(rng, width)
    for i in range(0, width, LANES):
        for j in range(i + LANES, width, LANES):
            here = (slice(i, i + LANES), slice(j, j + LANES))
            close(kept[here], U[here])


@blocks
def test_forward_and_backward_blocks_solve(width):
    rng, _, _ = world(width)
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
def test_nan_stays_nan_in_every_sum(place):
    rng, X, rows = world()
    X[:, place] = np.nan
    scale, target, ones = floats(rng, 24), floats(rng, 24), np.ones(4 * LANES, np.float32)
    out, left, q = np.zeros(24, np.float32), np.zeros(24, np.float32), np.zeros_like(ones)
    call_dots(X, rows, 8, 0, 4 * LANES, ones, out)
    assert np.isnan(out[8:16]).all()
    call_add_residuals(X, rows, 8, 0, 4 * LANES, scale, target, ones, left, q)
    assert np.isnan(left[8:16]).all()
    assert np.isnan(q).all()
    q[:] = 0
    call_add_rows(X, rows, 8, 0, 4 * LANES, scale, q)
    assert np.isnan(q[place])
    assert np.isnan(q).sum() == 1
    A = np.zeros((4 * LANES, 4 * LANES), np.float32)
    first = place // LANES * LANES
    call_add_squares(A, first, X, 9)
    assert np.isnan(A[place, place])
