import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.data.vocabulary import MAXIMUM_ID_LENGTH, Vocabulary
from recommender.errors import InvalidIdError, UnknownIdError

printable = st.text(
    st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=MAXIMUM_ID_LENGTH
)
id_lists = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=120),
    st.lists(printable, min_size=1, max_size=120),
)


@given(id_lists)
def test_rows_are_positions_among_the_sorted_distinct_ids(ids):
    vocabulary, rows = Vocabulary.with_rows(ids)
    expected = sorted(set(ids), key=lambda key: key if isinstance(key, int) else key.encode())
    assert vocabulary.ids.tolist() == expected
    assert [vocabulary.id(row) for row in range(len(vocabulary))] == expected
    assert rows.tolist() == [expected.index(key) for key in ids]
    assert [vocabulary.row(key) for key in ids] == rows.tolist()


@given(id_lists, id_lists)
def test_looking_up_many_equals_looking_up_each(known, asked):
    vocabulary = Vocabulary.from_ids(known)
    one_by_one = [vocabulary.row(key) if key in vocabulary else -1 for key in asked]
    assert vocabulary.rows(asked).tolist() == one_by_one
    assert vocabulary.rows(pl.Series(asked)).tolist() == one_by_one


@given(id_lists)
def test_arrays_hold_all_of_it(ids):
    vocabulary = Vocabulary.from_ids(ids)
    again = Vocabulary.from_arrays(vocabulary.arrays())
    assert again == vocabulary
    assert again.rows(ids).tolist() == vocabulary.rows(ids).tolist()


def test_an_unknown_id_is_named():
    with pytest.raises(UnknownIdError, match="'zelig'"):
        Vocabulary.from_ids(["alien", "brazil"]).row("zelig")


@pytest.mark.parametrize("other", ["1", 1.0, True, None, b"1"])
def test_a_number_is_found_by_a_whole_number_alone(other):
    assert other not in Vocabulary.from_ids([1, 2])


def test_text_is_not_found_by_a_number():
    vocabulary = Vocabulary.from_ids(["1", "2"])
    assert 1 not in vocabulary
    assert vocabulary.rows([1, 2]).tolist() == [-1, -1]
    assert vocabulary.rows(np.arange(100)).tolist() == [-1] * 100


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["a", ""], "1 to 128 characters"),
        (["x" * 129], "1 to 128 characters"),
        (["a\x00b"], "control characters"),
        (["a\nb"], "control characters"),
        ([1.5], "whole numbers or all text"),
        ([1, "1"], "whole numbers or all text"),
        ([True], "whole numbers or all text"),
        ([None], "whole numbers or all text"),
        ([[1, 2]], "one-dimensional"),
        (["\ud800"], "cannot be used"),
        ([2**63], "64 bits|cannot be used"),
        (np.array([2**63], dtype=np.uint64), "64 bits"),
        (pl.Series([2**63], dtype=pl.UInt64), "64 bits"),
        (pl.Series(["a", None]), "id 1 is missing"),
        (pl.Series([1.0]), "all whole numbers or all text"),
    ],
)
def test_unusable_ids_are_refused(ids, said):
    with pytest.raises(InvalidIdError, match=said):
        Vocabulary.from_ids(ids)


@pytest.mark.parametrize(
    "arrays",
    [
        {"keys": np.array([2, 1])},
        {"keys": np.array([1, 1])},
        {"keys": np.array([1.0, 2.0])},
        {"offsets": np.array([0, 2]), "text": np.frombuffer(b"a", np.uint8)},
        {"offsets": np.array([0, 1, 2]), "text": np.frombuffer(b"ba", np.uint8)},
        {"offsets": np.array([0, 1, 2]), "text": np.frombuffer(b"aa", np.uint8)},
        {"offsets": np.array([0, 1]), "text": np.frombuffer(b"\xff", np.uint8)},
        {"offsets": np.array([1, 1]), "text": np.frombuffer(b"a", np.uint8)},
    ],
)
def test_arrays_that_are_no_vocabulary_are_refused(arrays):
    with pytest.raises(InvalidIdError):
        Vocabulary.from_arrays(arrays)


def test_large_numbers_are_found_whatever_their_kind():
    numbers = 2**60 + np.arange(100)
    vocabulary = Vocabulary.from_ids(numbers)
    for kind in (np.int64, np.uint64):
        np.testing.assert_array_equal(vocabulary.rows(numbers.astype(kind)), np.arange(100))


def test_an_id_that_begins_like_another_is_not_the_other():
    known = ["a", "ab", "abc", "b", "é"]
    vocabulary = Vocabulary.from_ids(known)
    assert [vocabulary.find(one) for one in known] == [0, 1, 2, 3, 4]
    assert [vocabulary.find(one) for one in ("", "aa", "abcd", "ba", "è", "z")] == [-1] * 6
