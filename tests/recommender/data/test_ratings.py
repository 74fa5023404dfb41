import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import Ratings
from recommender.errors import InvalidInputError

triples = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from("abcdef"), st.integers(1, 10)), max_size=60
)


def as_dict(ratings):
    """The slow twin: every rating as a pair of ids and its stars."""
    return {
        (ratings.users.id(user), ratings.items.id(item)): float(value)
        for user in range(ratings.n_users)
        for item, value in zip(*ratings.of_user(user), strict=True)
    }


# Ids in every form that is numbered in a way of its own: by a table, by hashing, as text.
KINDS = {
    "close numbers": lambda ids: np.array(ids, dtype=np.int64) - 3,
    "narrow numbers": lambda ids: np.array(ids, dtype=np.int32),
    "bytes": lambda ids: np.array(ids, dtype=np.uint8),
    "big-endian": lambda ids: np.array(ids, dtype=">i8"),
    "every other": lambda ids: np.repeat(np.array(ids, dtype=np.int64), 2)[::2],
    "far numbers": lambda ids: (np.array(ids, dtype=np.int64) - 4) * (2**63 // 5),
    "a list": lambda ids: [10**9 * n for n in ids],
    "text": lambda ids: [f"id{n}" for n in ids],
    "a column": lambda ids: pl.Series(ids, dtype=pl.Int32),
    "a text column": lambda ids: pl.Series([f"{n}" for n in ids], dtype=pl.String),
    "categories": lambda ids: pl.Series([f"{n}" for n in ids], dtype=pl.Categorical),
}


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 5), st.floats(width=32)), max_size=40),
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(["as they come", "in order", "by user"]),
    st.booleans(),
)
def test_the_matrix_holds_each_pair_once_and_the_last_value_wins(
    entries, users_are, items_are, order, timed
):
    entries = [entry for entry in entries if np.isfinite(entry[2])]
    if order != "as they come":
        entries.sort(key=lambda entry: entry[: 2 if order == "in order" else 1])
    users = KINDS[users_are]([entry[0] for entry in entries])
    items = KINDS[items_are]([entry[1] for entry in entries])
    values = [entry[2] for entry in entries]
    times = np.arange(len(entries))[::-1] if timed else None
    ratings = Ratings.from_arrays(users, items, values, times)

    def listed(ids):
        return ids.to_list() if isinstance(ids, pl.Series) else list(ids)

    expected = dict(zip(zip(listed(users), listed(items), strict=True), values, strict=True))
    assert as_dict(ratings) == expected
    assert ratings.users.ids.tolist() == sorted(set(listed(users)))
    assert ratings.items.ids.tolist() == sorted(set(listed(items)))
    for user in range(ratings.n_users):
        assert (np.diff(ratings.of_user(user)[0]) > 0).all()
    if timed:
        pairs = zip(listed(users), listed(items), strict=True)
        last = dict(zip(pairs, times.tolist(), strict=True))
        cells = zip(ratings.user_rows, ratings.indices, strict=True)
        found = [last[ratings.users.id(user), ratings.items.id(item)] for user, item in cells]
        assert ratings.timestamps.tolist() == found


@given(triples)
def test_the_transpose_holds_the_same(entries):
    users, items, values = ([entry[i] for entry in entries] for i in range(3))
    ratings = Ratings.from_arrays(users, items, values)
    swapped = Ratings.from_arrays(items, users, values)
    for name in ("indptr", "indices", "values"):
        there, here = getattr(swapped.by_user, name), getattr(ratings.by_item, name)
        np.testing.assert_array_equal(there, here)


@given(triples, st.randoms())
def test_timestamps_stay_with_their_ratings(entries, random):
    times = [random.randrange(10**9) for _ in entries]
    ratings = Ratings.from_arrays(
        [e[0] for e in entries], [e[1] for e in entries], timestamps=times
    )
    last = {(e[0], e[1]): time for e, time in zip(entries, times, strict=True)}
    pairs = zip(ratings.user_rows, ratings.indices, strict=True)
    found = [last[ratings.users.id(user), ratings.items.id(item)] for user, item in pairs]
    assert ratings.timestamps.tolist() == found


def test_without_values_each_rating_counts_as_one():
    assert Ratings.from_arrays([1, 2], [1, 2]).values.tolist() == [1.0, 1.0]


def test_frames_of_other_libraries_are_read_through_arrow():
    class Foreign:
        """A table of another library: all that is known of it is the Arrow interface."""

        def __init__(self, frame):
            self._frame = frame

        def __arrow_c_stream__(self, requested_schema=None):
            return self._frame.__arrow_c_stream__(requested_schema)

    frame = pl.DataFrame({"who": ["a", "b"], "what": [10, 20], "stars": [4, 5]})
    ratings = Ratings.from_frame(Foreign(frame), "who", "what", "stars")
    assert as_dict(ratings) == {("a", 10): 4.0, ("b", 20): 5.0}
    assert as_dict(Ratings.from_frame(frame.lazy(), "who", "what", rating=None)) == {
        ("a", 10): 1.0,
        ("b", 20): 1.0,
    }


def test_selecting_keeps_rows_and_columns():
    ratings = Ratings.from_arrays([1, 1, 2], ["a", "b", "a"], [1, 2, 3], [7, 8, 9])
    kept = ratings.select(np.array([False, True, False]))
    assert as_dict(kept) == {(1, "b"): 2.0}
    assert (kept.n_users, kept.n_items, kept.timestamps.tolist()) == (2, 2, [8])


@given(triples, st.randoms())
def test_selecting_keeps_what_is_chosen(entries, random):
    ratings = Ratings.from_arrays(*([entry[i] for entry in entries] for i in range(3)))
    chosen = np.array([random.random() < 0.5 for _ in range(len(ratings))], dtype=np.bool_)
    kept = ratings.select(chosen)
    of_all = list(as_dict(ratings).items())
    assert list(as_dict(kept).items()) == [of_all[place] for place in np.flatnonzero(chosen)]
    assert kept.users is ratings.users


def test_what_the_caller_does_to_his_arrays_later_changes_nothing():
    given = [np.array(numbers) for numbers in ([1, 1, 2], [1, 2, 1], [3.0, 4, 5], [7, 8, 9])]
    given[2] = given[2].astype(np.float32)
    ratings = Ratings.from_arrays(*given)
    before = as_dict(ratings), ratings.timestamps.tolist()
    for array in given:
        array[:] = 0
    assert (as_dict(ratings), ratings.timestamps.tolist()) == before


def test_nothing_in_the_matrix_can_be_changed():
    ratings = Ratings.from_arrays([1], [1])
    some = ratings.select(np.array([True]))
    for array in (
        *(ratings.indptr, ratings.indices, ratings.values),
        *(ratings.by_item.values, some.values, some.by_item.indices),
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 9


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([1, 2], [1]), "2 users and 1 items"),
        (([1], [1], [np.nan]), r"values\[0\] is nan"),
        (([1], [1], [np.inf]), "finite"),
        (([1], [1], [1, 2]), "1 entries"),
        (([1], [1], ["five"]), "values must be numbers"),
        (([1], [1], np.array([1e300])), r"values\[0\] is inf"),
        (([1], [1], [1], [1.5]), "whole seconds"),
        (([1], [1], [1], ["now"]), "whole seconds"),
        (([1], [1], [1], [1, 2]), "1 entries"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arguments, said):
    with pytest.raises(InvalidInputError, match=said):
        Ratings.from_arrays(*arguments)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pl.DataFrame({"user": [1], "movie": [1], "rating": [1]}), "no column 'item'.*user, movie"),
        (pl.DataFrame({"user": [1], "item": [1], "rating": ["5"]}), "'rating' must be numbers"),
        (pl.DataFrame({"user": [1], "item": [1], "rating": [None]}), "no value in row 0"),
        (object(), "no table"),
    ],
)
def test_frames_that_do_not_fit_are_refused(frame, said):
    with pytest.raises(InvalidInputError, match=said):
        Ratings.from_frame(frame)


def test_whole_numbers_do_without_the_tables_of_polars():
    """Its import takes 30 MB and a tenth of a second."""
    program = """
import sys
import numpy as np
from recommender import Ratings
ratings = Ratings.from_arrays(np.array([1, 1, 2]), [7, 10**12, 7], [1, 2, 3])
assert ratings.by_item.n_rows == 2 and ratings.users.rows(np.arange(99))[2] == 1
assert "polars" not in sys.modules and "scipy.sparse" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
