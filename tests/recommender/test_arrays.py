"""Sparse rows whose values are codes: nothing is lost, and turning them over is right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recommender.arrays import SparseRows, to_codes
from tests.recommender.worlds import random_ratings, seeds

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


def turned(matrix):
    """The slow twin of the transpose: every entry moved by hand."""
    columns = [[] for _ in range(matrix.n_columns)]
    for row in range(matrix.n_rows):
        for column, value in zip(*matrix.row(row), strict=True):
            columns[column].append((row, float(value)))
    return columns


def as_rows(matrix):
    return [
        [(int(column), float(value)) for column, value in zip(*matrix.row(row), strict=True)]
        for row in range(matrix.n_rows)
    ]


@given(arrays(np.float32, st.integers(0, 400), elements=finite))
def test_codes_hold_every_value(values):
    codes, levels = to_codes(values)
    np.testing.assert_array_equal(levels[codes], values)
    np.testing.assert_array_equal(levels, np.unique(values))
    assert not np.signbit(levels[levels == 0]).any()


@pytest.mark.parametrize(
    ("n_levels", "kind"),
    [
        *((0, "uint8"), (1, "uint8"), (256, "uint8"), (257, "uint16")),
        *((65_536, "uint16"), (65_537, "uint32"), (1_100_000, "uint32")),
    ],
)
def test_codes_are_as_narrow_as_they_can_be(n_levels, kind):
    rng = np.random.default_rng(0)
    different = np.arange(n_levels, dtype=np.float32) - 100
    values = rng.permutation(np.concatenate((different, different[: n_levels // 3])))
    codes, levels = to_codes(values)
    assert codes.dtype == kind
    np.testing.assert_array_equal(levels, different)
    np.testing.assert_array_equal(levels[codes], values)


def test_the_two_zeros_are_one_level():
    for rest in ([], range(1000)):
        values = np.array([-0.0, 0.0, *rest], dtype=np.float32)
        codes, levels = to_codes(values)
        assert codes[0] == codes[1]
        assert not np.signbit(levels[codes[0]])


@given(seeds)
def test_the_transpose_is_what_moving_each_entry_gives(seed):
    matrix = random_ratings(np.random.default_rng(seed)).by_user
    transposed = matrix.transpose()
    assert as_rows(transposed) == turned(matrix)
    assert transposed.n_columns == matrix.n_rows
    assert as_rows(transposed.transpose()) == as_rows(matrix)


@pytest.mark.parametrize("n_values", [5, 300, 70_000])
def test_codes_of_every_width_are_turned(n_values):
    rng = np.random.default_rng(1)
    cells = rng.choice(400 * 400, size=n_values, replace=False)
    cells.sort()
    indptr = np.searchsorted(cells, 400 * np.arange(401))
    values = rng.normal(size=n_values).astype(np.float32)
    matrix = SparseRows.of(indptr, (cells % 400).astype(np.int32), values, 400)
    np.testing.assert_array_equal(matrix.values, values)
    dense = np.zeros((400, 400), np.float32)
    dense.flat[cells] = values
    there = matrix.transpose()
    rows = np.repeat(np.arange(400), np.diff(there.indptr))
    np.testing.assert_array_equal(there.values, dense.T[rows, there.indices])
    np.testing.assert_array_equal(np.diff(there.indptr), (dense != 0).sum(axis=0))


def test_rows_and_columns_without_entries_stay():
    matrix = SparseRows.of_ones(np.array([0, 0, 2, 2]), np.array([1, 3], np.int32), 5)
    assert as_rows(matrix) == [[], [(1, 1.0), (3, 1.0)], []]
    assert as_rows(matrix.transpose()) == [[], [(1, 1.0)], [], [(1, 1.0)], []]


def test_the_same_places_with_other_values():
    matrix = SparseRows.of_ones(np.array([0, 2]), np.array([1, 3], np.int32), 5)
    assert as_rows(matrix.with_values(np.array([7, -2], np.float32))) == [[(1, 7.0), (3, -2.0)]]


def test_stars_take_three_bytes_an_entry():
    matrix = random_ratings(np.random.default_rng(0), 50, 40, 1000).by_user
    assert matrix.indices.itemsize + matrix.codes.itemsize == 3
    assert len(matrix.levels) == 10


def test_nothing_can_be_written():
    matrix = SparseRows.of(np.array([0, 1]), np.zeros(1, np.int32), np.ones(1, np.float32), 1)
    for array in (matrix.indptr, matrix.indices, matrix.codes, matrix.levels, matrix.values):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
