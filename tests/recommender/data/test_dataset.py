"""Recognising what lies at a path, and refusing archives that should not be trusted."""

from __future__ import annotations

import random
import struct
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.data import containers
from recommender.data.bundled import bundled_path
from recommender.data.dataset import read_dataset
from recommender.data.rating_scale import RatingScale
from recommender.errors import FileFormatError, InvalidOptionError, InvalidRatingError

RATINGS = "user_id,movie_id,rating,rated_at\n007,m1,4.5,2026-06-05T19:45:30Z\n8,m2,1,5\n"
MOVIES = "movie_id,title,year,genres\nm1,One,1999,Drama\n"
USERS = "user_id,tastes\n007,everything\n"


@pytest.fixture
def own(tmp_path):
    """Return a folder with our own three tables."""
    folder = tmp_path / "films"
    folder.mkdir()
    for name, content in (("ratings", RATINGS), ("movies", MOVIES), ("users", USERS)):
        (folder / f"{name}.csv").write_text(content)
    return folder


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def refused(path):
    with pytest.raises(FileFormatError) as caught:
        read_dataset(path)
    return caught.value


# --- what is recognised -------------------------------------------------------------------


def test_our_own_folder(own):
    data = read_dataset(own)
    assert data.name == "films"
    assert data.ratings.rows() == [("007", "m1", 4.5, 1780688730), ("8", "m2", 1.0, 5)]
    assert data.movies.rows() == [("m1", "One", 1999, ["Drama"])]
    assert data.users.rows() == [("007", "everything")]
    assert data.notice is None


def test_a_folder_needs_no_users_and_may_have_a_notice(own):
    (own / "users.csv").unlink()
    (own / "notice.txt").write_text("All of it\nis invented.\n")
    data = read_dataset(str(own))
    assert data.users.shape == (0, 1)
    assert data.notice == "All of it is invented."


def test_the_same_as_a_zip_under_any_name(own, tmp_path):
    members = {f"inside/{file.name}": file.read_text() for file in own.iterdir()}
    for name in ("films.zip", "films.data"):
        data = read_dataset(zipped(tmp_path / name, members))
        assert data.name == "films"
        assert data.ratings.equals(read_dataset(own).ratings)


def test_a_single_table_of_ratings(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(RATINGS)
    data = read_dataset(path)
    assert data.name == "mine"
    assert data.ratings.height == 2
    assert data.movies.columns == ["movie_id", "title", "year", "genres"]
    assert data.movies.height == data.users.height == 0


def test_what_is_bundled():
    course, demo = read_dataset(bundled_path("course")), read_dataset(bundled_path("demo"))
    assert (course.name, demo.name) == ("course", "demo")
    assert course.ratings.height == 10
    assert course.movies.height == 5
    assert course.ratings["user"].n_unique() == 4
    assert "imulated" in demo.notice
    assert demo.ratings.height > 50_000
    assert demo.users.height == demo.ratings["user"].n_unique()
    assert demo.ratings["item"].is_in(demo.movies["movie_id"].to_list()).all()
    with pytest.raises(InvalidOptionError, match="bundled are: course, demo"):
        bundled_path("other")


def test_a_folder_right_here_comes_before_one_further_in(own):
    (own / "old").mkdir()
    (own / "old" / "ratings.csv").write_text("broken")
    (own / "old" / "movies.csv").write_text("broken")
    assert read_dataset(own).ratings.height == 2


# --- what is not --------------------------------------------------------------------------


def test_nothing_known_says_what_was_found_and_what_is_known(tmp_path):
    assert "found nothing" in str(refused(tmp_path))
    for name in ("a.txt", "b.csv"):
        (tmp_path / name).write_text("x")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "ratings.csv").write_text("x")
    error = refused(tmp_path)
    assert "found a.txt, b.csv, sub/ratings.csv" in error.reason
    for known in ("u.data + u.item", "ratings.dat + movies.dat", "users.csv", "one CSV file"):
        assert known in error.reason
    assert error.path == tmp_path


def test_two_data_sets_inside_one_folder(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ratings.csv").write_text(RATINGS)
        (tmp_path / name / "movies.csv").write_text(MOVIES)
    assert "more than one data set inside: a, b" in refused(tmp_path).reason


def test_a_missing_path(tmp_path):
    assert "no such file" in refused(tmp_path / "none").reason
    assert "no such file" in refused(tmp_path / "none.zip").reason


def test_a_bad_line_inside_a_zip_is_named(own, tmp_path):
    members = {file.name: file.read_text() for file in own.iterdir()}
    members["ratings.csv"] += "9,m1,7,5\n"
    error = refused(zipped(tmp_path / "films.zip", members))
    assert str(error.path) == str(tmp_path / "films.zip" / "ratings.csv")
    assert error.line == 4


# --- archives that are damaged or hostile -------------------------------------------------


@pytest.fixture
def good_zip(own, tmp_path):
    return zipped(tmp_path / "films.zip", {file.name: file.read_text() for file in own.iterdir()})


def test_a_truncated_zip_is_refused_wherever_it_was_cut(good_zip):
    whole = good_zip.read_bytes()
    assert read_dataset(good_zip).ratings.height == 2
    for length in range(0, len(whole), 7):
        good_zip.write_bytes(whole[:length])
        with pytest.raises(FileFormatError, match="no complete zip archive"):
            read_dataset(good_zip)


def test_flipped_bytes_never_pass_unnoticed(good_zip):
    whole = good_zip.read_bytes()
    expected = read_dataset(good_zip)
    refusals = 0
    for place in random.Random(5).sample(range(len(whole)), 150):
        damaged = bytearray(whole)
        damaged[place] ^= 0x5A
        good_zip.write_bytes(damaged)
        try:
            found = read_dataset(good_zip)
        except FileFormatError:
            refusals += 1
        else:
            assert found.ratings.equals(expected.ratings)
            assert found.movies.equals(expected.movies)
    assert refusals > 50


@pytest.mark.parametrize(
    "name", ["../ratings.csv", "/etc/ratings.csv", "a/../../b", "..\\b", "C:\\b", "c:b"]
)
def test_members_that_point_outside_are_refused(tmp_path, name):
    path = zipped(tmp_path / "films.zip", {"ratings.csv": RATINGS, "movies.csv": MOVIES, name: "x"})
    assert "points outside the archive" in refused(path).reason


def test_a_member_without_a_name_is_passed_over(tmp_path):
    members = {".": "x", "./ratings.csv": RATINGS, "./movies.csv": MOVIES}
    assert read_dataset(zipped(tmp_path / "films.zip", members)).ratings.height == 2


def test_a_nul_in_a_name_is_refused(tmp_path):
    path = zipped(tmp_path / "films.zip", {"ratings.csv": RATINGS, "movies.csvXxx": MOVIES})
    path.write_bytes(path.read_bytes().replace(b"movies.csvXxx", b"movies.csv\0xx"))
    assert "NUL character in its name" in refused(path).reason


def test_symbolic_links_and_encrypted_members_are_refused(tmp_path):
    link = zipfile.ZipInfo("ratings.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "symbolic link" in refused(tmp_path / "films.zip").reason
    path = zipped(tmp_path / "films.zip", {"ratings.csv": RATINGS, "movies.csv": MOVIES})
    content = bytearray(path.read_bytes())
    # The flags stand 6 bytes into a member's own header, 8 bytes into its entry in the directory.
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(signature) + offset
        content[place : place + 2] = struct.pack("<H", 1)
    path.write_bytes(content)
    assert "is encrypted; unpack the archive with its password" in refused(path).reason


def test_a_zip_bomb_is_refused_without_unfolding_it(tmp_path):
    header = RATINGS.encode()
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("ratings.csv", "w") as member:
            member.write(header)
            for _ in range(64):
                member.write(b"\n" * (1 << 20))
        archive.writestr("movies.csv", MOVIES)
    tracemalloc.start()
    error = refused(tmp_path / "bomb.zip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "refused as a zip bomb" in error.reason
    assert peak < 8 << 20


def test_limits_on_members_and_total(good_zip, monkeypatch):
    monkeypatch.setattr(containers, "LARGEST_TOTAL", 100)
    assert "more than an archive may (100)" in refused(good_zip).reason
    monkeypatch.setattr(containers, "MOST_MEMBERS", 2)
    assert "3 members are more than" in refused(good_zip).reason


def test_a_member_that_holds_more_than_it_says_is_refused(good_zip):
    content = bytearray(good_zip.read_bytes())
    entry = content.find(b"PK\x01\x02")
    assert struct.unpack_from("<I", content, entry + 24)[0] > 40
    struct.pack_into("<I", content, entry + 24, 40)
    good_zip.write_bytes(content)
    assert "the archive is damaged here" in refused(good_zip).reason


# --- the scale ----------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.5, 1, 3.5, 5, 5.0])
def test_ratings_on_the_scale(value):
    assert RatingScale().check(value) == float(value)


@pytest.mark.parametrize(
    "value", [0, 0.25, 5.5, -1, 3.7, float("nan"), float("inf"), True, "4", None, 10**400]
)
def test_ratings_off_the_scale(value):
    with pytest.raises(InvalidRatingError, match=r"allowed: 0\.5 to 5 in steps of 0\.5"):
        RatingScale().check(value)


def test_scales_with_decimal_steps_and_without_steps():
    tenths = RatingScale(0, 10, 0.1)
    assert tenths.accepts([tenth / 10 for tenth in range(101)]).all()
    assert not tenths.accepts([0.15, 10.1]).any()
    assert RatingScale(0, 1, None).accepts([0.123, 1.0, 1.1]).tolist() == [True, True, False]
    assert 0.123 in RatingScale(0, 1, None)


@given(st.floats() | st.integers(0, 100).map(lambda tenth: tenth / 10))
def test_one_rating_is_judged_as_many_are(rating):
    for scale in (RatingScale(), RatingScale(0, 10, 0.1), RatingScale(0, 1, None)):
        assert (rating in scale) == scale.accepts(rating)


@pytest.mark.parametrize(
    "bad", [(5, 1, 1), (1, 1, 1), (0, float("inf"), 1), (0, 5, 0), (0, 5, -1), (0, 5, float("nan"))]
)
def test_scales_that_hold_nothing(bad):
    with pytest.raises(InvalidOptionError):
        RatingScale(*bad)
