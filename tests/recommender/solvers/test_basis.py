"""Turning both sides changes no product, no length and no loss."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from recommender.solvers.basis import diagonalize, gram
from recommender.solvers.instructions import padded
from tests.recommender.worlds import seeds


def table(seed, n, k, width=None, rank=None):
    rng = np.random.default_rng(seed)
    rank = rank or k
    wide = np.zeros((n, width or padded(k)), np.float32)
    wide[:, :k] = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, k)) / np.sqrt(rank)
    return wide


@given(seed=seeds, k=st.sampled_from([1, 2, 7, 15, 16, 17, 33]), rank=st.integers(1, 3))
@settings(max_examples=30)
def test_products_and_lengths_are_the_same_and_the_gram_is_diagonal(seed, k, rank):
    """Tables of full rank and of less; both are turned, and a third that is compared later."""
    users, items = table(seed, 30, k), table(seed + 1, 20, k, rank=min(rank, k))
    old = table(seed + 2, 20, k)
    before = [users.copy(), items.copy(), old.copy()]
    diagonal = diagonalize(items, k, 0.3, [users, items, old], threads=2)
    np.testing.assert_allclose(users @ items.T, before[0] @ before[1].T, atol=1e-4 * k)
    np.testing.assert_allclose(users @ old.T, before[0] @ before[2].T, atol=1e-4 * k)
    for turned, straight in zip((users, items, old), before, strict=True):
        lengths = np.linalg.norm(straight, axis=1)
        np.testing.assert_allclose(np.linalg.norm(turned, axis=1), lengths, rtol=1e-4, atol=1e-4)
        assert not turned[:, k:].any()
    found = 0.3 * items[:, :k].astype(float).T @ items[:, :k]
    np.testing.assert_allclose(found, np.diag(diagonal[:k]), atol=1e-5 * diagonal.max())
    assert (diagonal >= 0).all()
    assert (diagonal[k:] == diagonal.max()).all()


def test_a_weight_of_nothing_shares_nothing():
    items = table(0, 20, 5)
    assert not diagonalize(items, 5, 0.0, [items], threads=1).any()


def test_a_table_of_zeros_stays_one():
    items = table(0, 20, 5) * 0
    assert not diagonalize(items, 5, 1.0, [items], threads=1).any()
    assert not items.any()


@pytest.mark.parametrize("n", [1, 8191, 8192, 8193, 30_000])
def test_the_gram_is_that_of_all_rows(n):
    """Around the number of rows that are multiplied at a time."""
    given = table(1, n, 5)[:, :5]
    expected = given.astype(float).T @ given
    np.testing.assert_allclose(gram(given, 3), expected, rtol=1e-4, atol=1e-5 * n)


@pytest.mark.parametrize("k", [16, 33, 300])
def test_the_number_of_threads_changes_no_bit(k):
    """Neither of ours nor of BLAS, which has more or fewer on another machine."""
    results = []
    for threads, of_blas in ((1, 1), (2, 2), (3, 1), (7, 2), (1, 2)):
        users, items = table(1, 20_000, k), table(2, 17_000, k)
        with threadpool_limits(limits=of_blas, user_api="blas"):
            diagonal = diagonalize(items, k, 0.1, [users, items], threads)
        results.append((users, items, diagonal))
    for others in results[1:]:
        for one, other in zip(results[0], others, strict=True):
            np.testing.assert_array_equal(one, other)
