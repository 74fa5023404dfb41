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
