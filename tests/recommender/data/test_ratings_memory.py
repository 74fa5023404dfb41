"""What ratings cost in memory, in bytes a rating: while they are built, and for good."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from benchmarks.training import process_memory
from recommender import Ratings
from recommender.arrays import to_codes

N = 400_000
ROOM = 80_000  # for what grows with users and items: tables, counts, row pointers
N_USERS, N_ITEMS = 800, 700


@pytest.fixture(scope="module")
def entries():
    cells = np.random.default_rng(0).permutation(N_USERS * N_ITEMS)[:N]
    stars = np.random.default_rng(1).integers(1, 11, N) / 2
    return cells // N_ITEMS, cells % N_ITEMS, stars.astype(np.float32), np.arange(N)


def measured(make):
    """Bytes a rating: at the peak, and kept by the result."""
    make()  # what is compiled or imported on the first call is not counted
    tracemalloc.start()
    try:
        result = make()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del result
    return (peak - ROOM) / N, (kept - ROOM) / N


def in_order(entries):
    order = np.lexsort((entries[1], entries[0]))
    return [array[order] for array in entries]


def test_ratings_in_any_order(entries):
    users, items, stars, _ = entries
    peak, kept = measured(lambda: Ratings.from_arrays(users, items, stars))
    assert kept <= 3  # an item of two bytes, a code of one
    assert peak <= 6  # the same by item, from which it is made


def test_ratings_in_order_cost_nothing_beside_themselves(entries):
    users, items, stars, _ = in_order(entries)
    peak, kept = measured(lambda: Ratings.from_arrays(users, items, stars))
    assert kept <= 3
    assert peak <= 3


def test_times_take_eight_bytes_for_good_and_four_for_the_moment(entries):
    peak, kept = measured(lambda: Ratings.from_arrays(*entries))
    assert kept <= 11
    assert peak <= 15


def test_ids_far_apart_take_eight_bytes_more_for_the_moment(entries):
    users, items, stars, _ = entries
    far = users * 10**12, items * 10**12
    peak, kept = measured(lambda: Ratings.from_arrays(*far, stars))
    assert kept <= 3
    assert peak <= 14


def test_the_transpose_costs_what_it_keeps(entries):
    users, items, stars, _ = entries
    matrix = Ratings.from_arrays(users, items, stars).by_user
    peak, kept = measured(matrix.transpose)
    assert kept <= 3
    assert peak <= 3


def test_a_csr_matrix_is_taken_over_without_a_detour(entries):
    users, items, stars, _ = in_order(entries)
    matrix = sparse.csr_array((stars, (users, items)), shape=(N_USERS, N_ITEMS))
    peak, kept = measured(lambda: Ratings.from_sparse(matrix))
    assert kept <= 3
    assert peak <= 3


def test_codes_of_one_value_never_become_memory():
    n = 40_000_000  # glibc reserves more than 32 MiB from the system, which gives zeros for nothing
    ones = np.ones(n, np.float32)
    before = process_memory.resident()
    codes, levels = to_codes(ones)
    assert process_memory.resident() - before < n / 10
    assert codes.shape == (n,)
    assert levels.tolist() == [1]


def test_numbers_of_more_than_65536_items_take_four_bytes():
    users, items = np.arange(N) % 300, np.arange(N) % 65_537
    narrow = Ratings.from_arrays(users, np.minimum(items, 65_535))
    wide = Ratings.from_arrays(users, items)
    assert (narrow.indices.dtype, wide.indices.dtype) == (np.uint16, np.int32)
    assert narrow.indices.max() == 65_535
    assert wide.indices.max() == 65_536
    assert (narrow.by_item.indices.dtype, wide.by_item.indices.dtype) == (np.uint16, np.uint16)
