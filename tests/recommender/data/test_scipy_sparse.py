"""SciPy's matrices in every format mean the same ratings; and back again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recommender import ImplicitALS, Ratings
from recommender.errors import InvalidIdError, InvalidInputError
from tests.recommender.data.test_ratings import as_dict

FORMATS = ["csr", "csc", "coo", "lil", "dok", "bsr"]
N_USERS, N_ITEMS = 6, 5

entry_lists = st.lists(
    st.tuples(
        st.integers(0, N_USERS - 1), st.integers(0, N_ITEMS - 1), st.sampled_from([1, 2.5, -3, 4])
    ),
    max_size=30,
)
scipy_kinds = st.sampled_from([sparse.coo_array, sparse.coo_matrix])


def matrix_of(entries, make=sparse.coo_array, index=np.int32, dtype=np.float64):
    users, items, values = ([entry[i] for entry in entries] for i in range(3))
    places = np.array(users, dtype=index), np.array(items, dtype=index)
    return make((np.array(values, dtype=dtype), places), shape=(N_USERS, N_ITEMS))


def summed(entries):
    """The slow twin: what stands in one place is added up."""
    cells = {}
    for user, item, value in entries:
        cells[user, item] = cells.get((user, item), 0) + value
    return cells


@given(
    entry_lists,
    scipy_kinds,
    st.sampled_from([np.int32, np.int64]),
    st.sampled_from([np.float32, np.float64]),
    st.permutations(range(N_USERS)),
    st.permutations(range(N_ITEMS)),
    st.booleans(),
    st.sampled_from(["coo", "csr", "csc", "csr without order"]),
)
def test_it_holds_what_the_matrix_means(
    entries, make, index, dtype, users, items, is_text, given_as
):
    matrix = matrix_of(entries, make, index, dtype)
    if given_as == "csr without order":
        matrix = unordered(entries, index, dtype)
    else:
        matrix = matrix.asformat(given_as)
    names = [f"i{item}" for item in items] if is_text else items
    ratings = Ratings.from_sparse(matrix, users=users, items=names)
    expected = {(users[u], names[i]): v for (u, i), v in summed(entries).items()}
    assert as_dict(ratings) == expected
    assert ratings.users.ids.tolist() == sorted(users)
    assert ratings.items.ids.tolist() == sorted(names)
    assert as_dict(Ratings.from_sparse(matrix)) == summed(entries)


def unordered(entries, index, dtype):
    """CSR as it comes out of other people's loops: neither sorted nor without repeats."""
    by_user = sorted(entries, key=lambda entry: entry[0])
    counts = np.bincount([entry[0] for entry in entries], minlength=N_USERS)
    indptr = np.concatenate(([0], np.cumsum(counts))).astype(index)
    indices = np.array([entry[1] for entry in by_user], dtype=index)
    values = np.array([entry[2] for entry in by_user], dtype=dtype)
    return sparse.csr_array((values, indices, indptr), shape=(N_USERS, N_ITEMS))


@given(entry_lists, st.sampled_from(FORMATS))
def test_the_matrix_of_the_caller_stays_as_it_was(entries, format_):
    for matrix in (matrix_of(entries).asformat(format_), unordered(entries, np.int32, np.float64)):
        before = matrix.copy()
        ratings = Ratings.from_sparse(matrix)
        np.testing.assert_array_equal(matrix.toarray(), before.toarray())
        assert matrix.nnz == before.nnz
        for array in (getattr(matrix, name, None) for name in ("data", "indices", "indptr")):
            if isinstance(array, np.ndarray) and array.dtype != object:
                array[...] = 0  # nor is it ours
        np.testing.assert_array_equal(ratings.to_dense(), before.toarray())


@given(entry_lists)
def test_there_and_back(entries):
    ratings = Ratings.from_sparse(matrix_of(entries))
    matrix = ratings.to_sparse()
    assert matrix.format == "csr"
    assert matrix.dtype == np.float32
    assert matrix.has_canonical_format
    np.testing.assert_array_equal(matrix.toarray(), ratings.to_dense())
    assert as_dict(Ratings.from_sparse(matrix)) == as_dict(ratings)
    matrix.data[:] = 0  # it is the caller's own
    np.testing.assert_array_equal(ratings.to_dense(), matrix_of(entries).toarray())


@pytest.mark.parametrize("format_", ["csr", "csc", "coo"])
def test_a_stored_zero_is_a_rating(format_):
    matrix = sparse.coo_array(([5, 0], ([0, 1], [0, 1])), shape=(2, 2)).asformat(format_)
    ratings = Ratings.from_sparse(matrix)
    assert as_dict(ratings) == {(0, 0): 5.0, (1, 1): 0.0}
    assert ratings.to_sparse().nnz == 2


def test_repeats_that_sum_to_zero_are_a_rating_too():
    matrix = sparse.coo_array(([5, -5], ([0, 0], [1, 1])), shape=(1, 2))
    assert as_dict(Ratings.from_sparse(matrix)) == {(0, 1): 0.0}


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.int64, np.float32])
def test_numbers_of_every_kind(dtype):
    matrix = sparse.csr_array(np.array([[1, 0], [0, 1]], dtype=dtype))
    assert as_dict(Ratings.from_sparse(matrix)) == {(0, 0): 1.0, (1, 1): 1.0}


def test_users_without_ratings_and_items_that_nobody_rated_keep_their_place():
    ratings = Ratings.from_sparse(sparse.csr_array((4, 3)), items=["c", "a", "b"])
    assert (len(ratings), ratings.n_users, ratings.n_items) == (0, 4, 3)
    rated = sparse.csr_array(([1.0, 1, 1], ([0, 0, 2], [0, 2, 0])), shape=(4, 3))
    model = ImplicitALS(factors=2).fit(Ratings.from_sparse(rated))
    assert not model.user_factors[[1, 3]].any()
    assert not model.item_factors[1].any()
    assert model.recommend(2, n=1)[0] == [2]


def test_room_behind_the_last_entry_is_no_rating():
    matrix = sparse.csr_array(np.eye(2))
    matrix.data = np.append(matrix.data, [7.0, 8.0])
    matrix.indices = np.append(matrix.indices, matrix.indices[:2])
    assert as_dict(Ratings.from_sparse(matrix)) == {(0, 0): 1.0, (1, 1): 1.0}


def test_an_order_that_scipy_only_believes_in_is_checked():
    matrix = sparse.csr_array(np.ones((1, 3)))
    assert matrix.has_canonical_format
    matrix.indices[:] = [2, 0, 0]
    matrix.data[:] = [3, 4, 5]
    assert as_dict(Ratings.from_sparse(matrix)) == {(0, 0): 9.0, (0, 2): 3.0}


def broken(format_="csr", **arrays):
    matrix = sparse.csr_array(np.ones((2, 2))).asformat(format_)
    for name, array in arrays.items():
        setattr(matrix, name, np.array(array))
    return matrix


@pytest.mark.parametrize(
    ("matrix", "ids", "said"),
    [
        (np.ones((2, 2)), {}, r"ndarray is no SciPy sparse matrix.*csr_array"),
        ([[1]], {}, "list is no SciPy sparse matrix"),
        (sparse.coo_array(np.ones(3)), {}, r"two dimensions.*\(3,\)"),
        (sparse.csr_array((2, 2**31)), {}, "2147483647 users and as many items"),
        (sparse.csr_array(np.ones((2, 2)) * 1j), {}, "real numbers; found complex"),
        (sparse.csr_array([[1, 0], [0, np.nan]]), {}, "nan in row 1, column 1"),
        (sparse.coo_array([[0, np.inf]]), {}, "inf in row 0, column 1"),
        (sparse.csc_array([[0, 1e300]]), {}, r"1e\+300 in row 0, column 1.*float32"),
        (sparse.csr_array((2, 3)), {"users": [1]}, "users must be 2 ids, one for each row"),
        (sparse.csr_array((2, 3)), {"items": "ab"}, "items must be 3 ids, one for each column"),
        (broken(indices=[0, 1, 0, 2]), {}, "between 0 and 1; found 0 to 2"),
        (broken(indices=[0, 1, -1, 1]), {}, "between 0 and 1; found -1 to 1"),
        (broken("csc", indices=[0, 1, 0, 10**6]), {}, "between 0 and 1; found 0 to 1000000"),
        (broken("csc", indptr=[0, 2, 10**6]), {}, "matrix.indptr does not fit"),
        (broken(indptr=[0, 2, 5]), {}, "matrix.indptr does not fit"),
        (broken(indptr=[0, 3, 2]), {}, "matrix.indptr does not fit"),
        (broken(indptr=[1, 2, 4]), {}, "matrix.indptr does not fit"),
        (broken(data=[1.0, 2.0]), {}, "matrix.indptr does not fit"),
        (broken(indptr=[0, 2]), {}, "matrix.indptr does not fit"),
    ],
)
def test_what_is_no_matrix_of_ratings_is_refused(matrix, ids, said):
    with pytest.raises(InvalidInputError, match=said):
        Ratings.from_sparse(matrix, **ids)


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ({"users": [7, 7]}, "users has the id 7 more than once"),
        ({"items": ["b", "a", "b"]}, "items has the id 'b' more than once"),
        ({"items": ["b", "a", ""]}, "1 to 128 characters"),
        ({"users": [1, "1"]}, "all whole numbers or all text"),
    ],
)
def test_ids_that_name_no_row_are_refused(ids, said):
    with pytest.raises(InvalidIdError, match=said):
        Ratings.from_sparse(sparse.csr_array((2, 3)), **ids)


@pytest.mark.parametrize("place", [-99999999, -1, 2, 2**31 - 1])
@pytest.mark.parametrize("axis", [0, 1])
def test_coordinates_outside_the_matrix_are_refused(axis, place):
    matrix = sparse.coo_array(np.float32([[1, 2], [3, 4]]))
    matrix.coords[axis][0] = place
    with pytest.raises(InvalidInputError, match=r"must lie between 0 and 1"):
        Ratings.from_sparse(matrix)


@pytest.mark.parametrize(("array", "place"), [("indices", 99999999), ("indptr", 99999999)])
def test_blocks_outside_the_matrix_are_refused(array, place):
    matrix = sparse.bsr_array(np.float32([[1, 2], [3, 4]]), blocksize=(1, 1))
    getattr(matrix, array)[1] = place
    with pytest.raises(InvalidInputError, match=r"matrix\.ind"):
        Ratings.from_sparse(matrix)


def test_places_outside_the_matrix_are_refused_in_other_formats_too():
    matrix = sparse.lil_array(np.float32([[1, 2], [3, 4]]))
    matrix.rows[0] = [0, 999999]
    with pytest.raises(InvalidInputError, match=r"must lie between 0 and 1"):
        Ratings.from_sparse(matrix)
