import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.solvers.inversion import invert, multiply_blocks
from tests.recommender.worlds import seeds


def positive_definite(rng, n, condition):
    turned, _ = np.linalg.qr(rng.normal(size=(n, n)))
    matrix = (turned * np.geomspace(1, condition, n)) @ turned.T
    return (matrix + matrix.T) / 2


@given(
    seed=seeds,
    n=st.integers(1, 40),
    block=st.sampled_from([1, 3, 8, 64]),
    condition=st.sampled_from([1.0, 1e3, 1e6]),
)
def test_the_inverse_is_that_of_lapack(seed, n, block, condition):
    matrix = positive_definite(np.random.default_rng(seed), n, condition)
    inverse = matrix.copy()
    invert(inverse, block=block)
    # Sweeping costs more digits than LAPACK: about the square of the condition, not the condition.
    allowed = 1e-14 * n * condition * max(1, condition / 1e4)
    np.testing.assert_allclose(inverse @ matrix, np.eye(n), atol=allowed)
    np.testing.assert_array_equal(inverse, inverse.T)


@pytest.mark.parametrize("seed", range(3))
def test_in_single_precision_it_is_nearly_as_good(seed):
    """Off by a few times what LAPACK is off by, which is some roundings times the condition."""
    matrix = positive_definite(np.random.default_rng(seed), 300, 1e3)
    single = matrix.astype(np.float32)
    invert(single, block=64)
    exact = np.linalg.inv(matrix)
    error = np.abs(single - exact).max()
    theirs = np.abs(np.linalg.inv(matrix.astype(np.float32)) - exact).max()
    assert error < 10 * theirs


def test_it_is_the_same_at_any_number_of_threads():
    matrix = positive_definite(np.random.default_rng(1), 150, 1e3).astype(np.float32)
    results = []
    for threads in (1, 2, 3, 7):
        inverse = matrix.copy()
        invert(inverse, threads, block=16)
        results.append(inverse)
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)


def test_only_the_lower_triangle_is_read():
    matrix = positive_definite(np.random.default_rng(2), 20, 10)
    half = np.tril(matrix) + np.triu(np.full((20, 20), 1e9), 1)
    invert(half, block=6)
    np.testing.assert_allclose(half, np.linalg.inv(matrix), atol=1e-10)


@pytest.mark.parametrize("block", [2, 8])
def test_what_is_not_positive_definite_is_refused(block):
    matrix = np.eye(6)
    matrix[4, 4] = -1
    with pytest.raises(np.linalg.LinAlgError):
        invert(matrix, block=block)


@pytest.mark.parametrize("n", [1, 512, 1100])
def test_products_are_the_same_at_any_number_of_threads(n):
    rng = np.random.default_rng(n)
    left, right = rng.normal(size=(n, 40)), rng.normal(size=(40, 70))
    results = [multiply_blocks(left, right, np.empty((n, 70)), threads) for threads in (1, 2, 5)]
    np.testing.assert_allclose(results[0], left @ right, atol=1e-12)
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)
