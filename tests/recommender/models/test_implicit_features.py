import numpy as np
import pytest

from recommender import Ratings
from recommender.models.implicit_features import DIRECTIONS, implicit_features
from tests.recommender.worlds import random_ratings


def dense(matrix):
    rows = np.zeros((matrix.n_rows, matrix.n_columns))
    for row in range(matrix.n_rows):
        columns, _ = matrix.row(row)
        rows[row, columns] = 1 / np.sqrt(max(len(columns), 1))
    return rows


@pytest.mark.parametrize("shape", [(40, 30), (200, 100), (100, 200)])
def test_they_are_the_leading_singular_directions(shape):
    ratings = random_ratings(np.random.default_rng(0), *shape, n=2000)
    for matrix in (ratings.by_user, ratings.by_item):
        basis, sizes = implicit_features(matrix)
        whole = dense(matrix)
        expected = np.linalg.svd(whole, compute_uv=False)[: len(sizes)]
        np.testing.assert_allclose(sizes, expected, rtol=1e-6)
        assert len(sizes) == min(DIRECTIONS, min(whole.shape) - 1)
        np.testing.assert_allclose(basis.T @ basis, np.eye(len(sizes)), atol=1e-8)
        np.testing.assert_allclose(np.linalg.norm(whole.T @ basis, axis=0), sizes, rtol=1e-6)


def test_they_are_the_same_every_time():
    matrix = random_ratings(np.random.default_rng(0), 90, 80, n=2000).by_user
    np.testing.assert_array_equal(implicit_features(matrix)[0], implicit_features(matrix)[0])


def test_the_smallest_matrix_has_one_direction():
    basis, sizes = implicit_features(Ratings.from_arrays([0, 0, 1], [0, 1, 1]).by_user)
    assert basis.shape == (2, 1)
    assert sizes.shape == (1,)
