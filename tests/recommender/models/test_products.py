"""Products with the sparse matrix are those with the dense one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.models.products import (
    gram,
    pairs_of_columns,
    run_over_columns,
    table_of,
    times,
    times_transposed,
)
from tests.recommender.worlds import random_ratings, seeds


def dense_and_table(ratings, values):
    X = ratings.to_dense(0).astype(float)
    if values == "ones":
        X[ratings.user_rows, ratings.indices] = 1
    return X, table_of(ratings.by_user.levels, values)


@given(seed=seeds, values=st.sampled_from(["ones", "stars"]))
def test_products_are_those_of_the_dense_matrix(seed, values):
    rng = np.random.default_rng(seed)
    ratings = random_ratings(rng)
    X, table = dense_and_table(ratings, values)
    x, y = rng.normal(size=ratings.n_items), rng.normal(size=ratings.n_users)
    np.testing.assert_allclose(times(ratings.by_user, table, x), X @ x, atol=1e-10)
    np.testing.assert_allclose(times_transposed(ratings.by_user, table, y), X.T @ y, atol=1e-10)
    for dtype in (np.float32, np.float64):
        found = gram(ratings.by_user, ratings.by_item, table, 2, dtype)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, X.T @ X, rtol=1e-5)


@given(seeds)
def test_work_is_counted(seed):
    ratings = random_ratings(np.random.default_rng(seed))
    X = dense_and_table(ratings, "ones")[0]
    assert pairs_of_columns(ratings.by_user).tolist() == (X.T @ X.sum(axis=1)).astype(int).tolist()


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("work", [10, 10_000_000])
def test_every_column_has_its_turn_once(threads, work):
    seen = []
    run_over_columns(lambda columns: seen.append(columns), np.full(9, work), threads)
    assert sorted(np.concatenate(seen).tolist()) == list(range(9))
    assert len(seen) == (threads if work > 10 else 1)
