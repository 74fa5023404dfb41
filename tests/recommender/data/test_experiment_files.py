"""Files of experiments: ids that agree, columns that may be missing, rows that repeat."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.data import experiment_files
from recommender.data.experiment_files import TOLERANCE, read_experiment, read_fold
from recommender.errors import FileFormatError


@pytest.fixture
def write(tmp_path):
    def writing(name, *lines):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return writing


@pytest.fixture
def train(write):
    return write(
        "train.csv", "user,item,rating,timestamp", "1,10,4.5,100", "2,10,1,101", "1,11,3,102"
    )


def test_whole_numbers_become_numbers_and_sort_as_such(write, train):
    test = write("test.csv", "item,rating,user", "9,3,2", "10,4,1")
    fold = read_fold(train, test)
    assert fold.test.items.ids.tolist() == [9, 10]
    assert fold.train.users.ids.dtype == np.int64
    assert fold.train.values.tolist() == [4.5, 3, 1]
    assert fold.train.timestamps.tolist() == [100, 102, 101]
    assert fold.test.timestamps is None


def test_ids_of_each_column_are_of_one_kind(write):
    train = write("train.csv", "user,item,rating", "ann,1,4", "bob,2,3")
    test = write("test.csv", "user,item,rating", "ann,2,4")
    fold = read_fold(train, test)
    assert fold.test.users.ids.tolist() == ["ann"]
    assert fold.test.items.ids.tolist() == [2]


@pytest.mark.parametrize("odd", ["007", "+7", '"007"', "-0", "7.0"])
@pytest.mark.parametrize("column", [0, 1])
def test_ids_that_are_not_written_as_numbers_are_stay_text(write, odd, column):
    cells = ["7", "7"]
    cells[column] = odd
    train = write("train.csv", "user,item,rating", "7,7,4", f"{','.join(cells)},3", "8,8,2")
    fold = read_fold(train, train)
    vocabulary = (fold.train.users, fold.train.items)[column]
    assert set(vocabulary.ids.tolist()) == {"7", odd.strip('"'), "8"}


@pytest.mark.parametrize("at_once", [1, 2, 3, 1 << 20])
def test_odd_numbers_are_found_wherever_a_block_ends(write, monkeypatch, at_once):
    monkeypatch.setattr(experiment_files, "_AT_ONCE", at_once)
    plain = write("plain.csv", "user,item,rating", "10,20,0.5", "100,0,0", "30,5,4.05")
    odd = write("odd.csv", "user,item,rating", "10,20,0.5", "100,01,0", "30,5,4.05")
    assert read_fold(plain, plain).train.items.ids.tolist() == [0, 5, 20]
    assert read_fold(odd, odd).train.items.ids.tolist() == ["01", "20", "5"]


def test_files_whose_ids_differ_in_kind_are_refused(write, train):
    text = write("test.csv", "user,item,rating", "u1,10,4")
    with pytest.raises(FileFormatError) as refused:
        read_fold(train, text)
    said = str(refused.value)
    assert "test.csv" in said
    assert "column 'user': the ids here are text (first: 'u1')" in said
    assert "train.csv are whole numbers (first: '1')" in said
    items = write("items.csv", "user,item,rating", "1,m10,4")
    with pytest.raises(FileFormatError, match="column 'item': the ids here are text"):
        read_fold(train, items)
    with pytest.raises(FileFormatError, match="column 'item': the ids here are whole numbers"):
        read_fold(items, train)


def test_one_new_user_with_a_name_is_no_reason_to_refuse(write, train):
    test = write("test.csv", "user,item,rating", "1,10,4", "new,10,3")
    fold = read_fold(train, test)
    assert fold.train.users.ids.tolist() == ["1", "2"]
    assert fold.test.users.ids.tolist() == ["1", "new"]


def test_negatives_and_fold_in_are_held_against_what_they_belong_to(write, train):
    test = write("test.csv", "user,item", "1,10")
    with pytest.raises(FileFormatError, match=r"negatives.csv: column 'user'.*test.csv"):
        read_fold(train, test, negatives=write("negatives.csv", "user,item", "ann,11"))
    # Users that are folded in are none of the training's: their names may differ in kind.
    fold_in = write("fold.csv", "user,item,rating", "ann,10,4")
    held = write("held.csv", "user,item,rating", "ann,11,4")
    fold = read_fold(train, held, fold_in=fold_in)
    assert fold.fold_in.users.ids.tolist() == fold.test.users.ids.tolist() == ["ann"]
    with pytest.raises(FileFormatError, match=r"test.csv: column 'user'.*fold.csv"):
        read_fold(train, test, fold_in=fold_in)


def test_ratings_may_be_missing_where_nobody_needs_them(write, train):
    chosen = write("chosen.csv", "user,item", "1,10", "2,11", "1,11")
    fold = read_fold(chosen, chosen)
    assert fold.train.values.tolist() == [1, 1, 1]
    with pytest.raises(FileFormatError, match="lacks a column: 'rating'"):
        read_fold(train, chosen, stars=True)
    with pytest.raises(FileFormatError, match="lacks a column: 'rating'"):
        read_fold(chosen, train, stars=True)
    with pytest.raises(FileFormatError, match="lacks a column: 'rating'"):
        read_fold(train, chosen, relevant_from=True)
    read_fold(chosen, train, relevant_from=True)
    for one, other in ((train, chosen), (chosen, train)):
        with pytest.raises(FileFormatError, match=r"chosen.csv.*'rating', which .*train.csv has"):
            read_fold(one, chosen, fold_in=other)


def test_repeated_rows_are_counted_and_the_last_counts(write, train):
    test = write("test.csv", "user,item,rating", "1,10,1", "1,10,2", "2,10,5", "1,10,3")
    fold = read_fold(train, test)
    assert fold.repeated == {"train": 0, "test": 2}
    assert fold.test.values.tolist() == [3, 5]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "holds no text"),
        (["user,item,rating"], "holds no ratings"),
        (["1,10,4", "2,11,3"], "data where the header should be"),
        (["user,rating", "1,4"], "lacks a column: 'movie_id' or 'item_id' or 'movie' or 'item'"),
        (["user;item;rating", "1;2;3"], "semicolons"),
        (["user,item,rating", "1,10,4", "1,11,five"], "line 3: column 'rating': found the text"),
        (["user,item,rating", "1,10,4", "1,11,nan"], "line 3: column 'rating'"),
        (["user,item,rating", "1,10,4", "1,11,"], "line 3: column 'rating': found nothing"),
        (["user,item,rating", "1,10,4", ",11,3"], "line 3: column 'user': found nothing"),
        (["user,item,rating", "1,10,4", "1,11"], "line 3: found 2 fields"),
        (["user,item,rating,timestamp", "1,10,4,soon"], "line 2: column 'timestamp'"),
    ],
)
def test_bad_files_are_named_with_the_line(write, train, lines, said):
    bad = write("bad.csv", *lines)
    with pytest.raises(FileFormatError) as refused:
        read_fold(train, bad)
    assert "bad.csv" in str(refused.value)
    assert said in str(refused.value)


def test_a_missing_file_is_named(train, tmp_path):
    with pytest.raises(FileFormatError, match=r"absent\.csv: no such file"):
        read_fold(train, tmp_path / "absent.csv")


@pytest.mark.parametrize("rating", ["100000001", "-100000001", "16777217", "123456.78", "1e10"])
def test_a_rating_that_32_bits_would_change_is_refused(tmp_path, rating):
    """A training of 100000001 and a test of 100000004 would be one number."""
    path = tmp_path / "train.csv"
    path.write_text(f"user,item,rating\n1,1,3\n1,2,{rating}\n")
    with pytest.raises(FileFormatError, match=r"line 3: column 'rating': .*to within 0\.001"):
        read_experiment(path)


@given(st.integers(-(2**24), 2**24) | st.floats(-8192, 8192).map(lambda x: round(x, 6)))
def test_every_other_rating_is_kept_to_within_the_tolerance(rating):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.csv"
        path.write_text(f"user,item,rating\n1,1,{rating!r}\n")
        kept = float(read_experiment(path).values[0])
    assert abs(kept - rating) <= TOLERANCE
    if isinstance(rating, int):
        assert kept == rating


def test_a_folder_is_told_as_one(tmp_path):
    with pytest.raises(FileFormatError, match="is a folder where a CSV file is expected"):
        read_experiment(tmp_path)
