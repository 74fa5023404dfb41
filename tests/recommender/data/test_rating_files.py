"""Tables of ratings on disk: the same rows in every format, whole or not at all."""

import gzip

import polars as pl
import pytest

from recommender.data.rating_files import FORMATS, check_name, write_ratings
from recommender.data.tables import read_ratings
from recommender.errors import InvalidOptionError

FRAMES = [
    pl.DataFrame({"user": [1, 1], "item": [2, 3], "rating": [0.5, 4.0], "timestamp": [7, 8]}),
    pl.DataFrame({"user": [2], "item": [1], "rating": [5.0], "timestamp": [9]}),
    pl.DataFrame({"user": [3], "item": [9], "rating": [2.5], "timestamp": [1]}),
]
TEXT = b"user,item,rating,timestamp\n1,2,0.5,7\n1,3,4.0,8\n2,1,5.0,9\n3,9,2.5,1\n"

every_format = pytest.mark.parametrize("end", FORMATS)


@pytest.mark.parametrize("n", [1, 3])
def test_every_format_holds_the_rows_in_their_order(tmp_path, n):
    for end in FORMATS:
        path = tmp_path / f"ratings{end.upper()}"
        assert write_ratings(path, FRAMES[:n]) == path.stat().st_size
    expected = pl.concat(FRAMES[:n])
    assert pl.read_parquet(tmp_path / "ratings.PARQUET").equals(expected)
    plain = (tmp_path / "ratings.CSV").read_bytes()
    assert plain == b"".join(TEXT.splitlines(keepends=True)[: 1 + len(expected)])
    assert gzip.decompress((tmp_path / "ratings.CSV.GZ").read_bytes()) == plain
    assert len(list(tmp_path.iterdir())) == len(FORMATS)


def test_the_importer_reads_what_is_written(tmp_path):
    path = tmp_path / "ratings.csv"
    write_ratings(path, FRAMES)
    assert read_ratings(path, integer_ids=True).rows() == pl.concat(FRAMES).rows()


@every_format
def test_the_same_ratings_are_the_same_bytes(tmp_path, end):
    one, two = tmp_path / f"one{end}", tmp_path / f"another name{end}"
    write_ratings(one, FRAMES)
    write_ratings(two, FRAMES)
    assert one.read_bytes() == two.read_bytes()
    if end == ".csv.gz":
        assert one.read_bytes()[3:8] == bytes(5)  # no name inside, and no time


@every_format
def test_a_file_that_exists_is_replaced_only_when_told_to(tmp_path, end):
    path = tmp_path / f"ratings{end}"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError) as caught:
        write_ratings(path, FRAMES)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"mine"
    write_ratings(path, FRAMES, replace=True)
    assert path.read_bytes() != b"mine"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_comes_while_writing_is_kept(tmp_path):
    path = tmp_path / "ratings.csv"

    def frames():
        yield FRAMES[0]
        path.write_bytes(b"theirs")

    with pytest.raises(FileExistsError):
        write_ratings(path, frames())
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_to_nowhere_counts_as_a_file(tmp_path):
    path = tmp_path / "ratings.csv"
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        write_ratings(path, FRAMES)


@every_format
@pytest.mark.parametrize("replace", [True, False])
def test_what_breaks_off_leaves_nothing_and_what_was_there(tmp_path, end, replace):
    path = tmp_path / f"ratings{end}"
    if replace:
        path.write_bytes(b"mine")

    def frames():
        yield FRAMES[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_ratings(path, frames(), replace=replace)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"mine"] * replace


@pytest.mark.parametrize("place", ["no folder", "a file for a folder", "a folder"])
def test_where_no_file_can_be_nothing_is_computed(tmp_path, place):
    path = tmp_path / "there" / "ratings.csv"
    if place == "a file for a folder":
        path.parent.write_bytes(b"")
    elif place == "a folder":
        path.mkdir(parents=True)

    def frames():
        raise AssertionError("asked for")
        yield

    for replace in (True, False):
        with pytest.raises(OSError) as caught:
            write_ratings(path, frames(), replace=replace)
        assert caught.value.filename == str(path)
        assert caught.value.strerror


@pytest.mark.parametrize("name", ["ratings", "ratings.txt", "ratings.csv.zip", "ratings.gz"])
def test_another_end_of_the_name_is_refused(tmp_path, name):
    with pytest.raises(InvalidOptionError, match=r"\.csv, \.csv\.gz or \.parquet"):
        write_ratings(tmp_path / name, FRAMES)
    with pytest.raises(InvalidOptionError):
        check_name(name)
    assert not list(tmp_path.iterdir())
