"""Files that are not what they should be: a report, no crash, nothing stored in atomic mode."""

from __future__ import annotations

import os
import resource
import struct
import zipfile
import zlib

import polars as pl
import pytest

from app.store import Counts
from recommender.data.rating_scale import RatingScale

HEADER = "user,item,rating,timestamp\n"
GOOD = "u1,m1,4,1600000000\n"
NOTHING = Counts(0, 0, 0)


def written(tmp_path, content, name="ratings.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(*lines):
    return HEADER + GOOD + "".join(line + "\n" for line in lines) + "u2,m2,5,1600000001\n"


@pytest.mark.parametrize(
    ("row", "column", "found"),
    [
        ("u1,m2,five,1600000000", "rating", "not a number"),
        ("u1,m2,NaN,1600000000", "rating", "NaN"),
        ("u1,m2,,1600000000", "rating", "empty"),
        ("u1,m2,9,1600000000", "rating", "off the scale"),
        ("u1,m2,inf,1600000000", "rating", "infinite"),
        (",m2,4,1600000000", "user", "empty"),
        (" u1,m2,4,1600000000", "user", "a space at an end"),
        ("u1,m\x072,4,1600000000", "item", "control character"),
        ("u1," + "m" * 200 + ",4,1600000000", "item", "200 characters"),
        ("u1,popular,4,1600000000", "item", "reserved"),
        ("u1,m2,4,4102444800", "timestamp", "future date"),
        ("u1,m2,4,1600000000000", "timestamp", "out of range"),
        ("u1,m2,4,yesterday", "timestamp", "not a date"),
        ("u1,m2,4", None, "3 fields"),
        ('u1,"m2,4,1600000000', None, "quote that is left open"),
        ('u1,"m"2,4,1600000000', None, "quoting"),
        ("u1,m2\rx,4,1600000000", None, "carriage return"),
        ("u1,m2\0,4,1600000000", None, "NUL"),
        ("u1," + "m" * 3_000_000 + ",4,1600000000", None, "too long"),
    ],
)
def test_a_bad_row_is_named_with_its_reason(importing, store, tmp_path, row, column, found):
    path = written(tmp_path, rows(row))
    document = importing(path)
    assert (document["state"], store.counts()) == ("failed", NOTHING)
    (error,) = document["report"]["errors"]
    assert (error["line"], error["column"], error["file"]) == (3, column, "ratings.csv")
    assert found in error["found"]
    assert len(error["value"] or "") <= 80
    assert len(error["reason"]) < 500
    document = importing(path, "skip", job="k")
    assert (document["state"], document["report"]["bad"]) == ("done", 1)
    assert store.counts() == Counts(users=2, movies=2, ratings=2)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "no text"),
        (rows().encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b" + bytes(100), "gzip"),
        (b"PAR1" + bytes(100) + b"PAR1", "Parquet"),
        (b"PK\x03\x04" + bytes(100), "zip"),
        (b"user,item,stars\nu,m,4\n", "rating"),
        (b"user;item;rating\nu;m;4\n", "semicolons"),
        (b"1,2,4.5,1600000000\n", "header"),
        (b"user,user_id,item,rating\n", "mean the same"),
        (HEADER.encode(), "no ratings"),
        (b"\xff\xfeuser", "UTF-16"),
        ("usér,item,rating\n".encode("latin-1"), "UTF-8"),
        (b"x" * 3_000_000, "too long for a header"),
    ],
)
@pytest.mark.parametrize("mode", ["atomic", "skip"])
def test_a_file_that_cannot_be_read_says_why(importing, store, tmp_path, content, said, mode):
    document = importing(written(tmp_path, content), mode)
    assert document["state"] == "failed"
    assert said in document["reason"]
    assert str(tmp_path) not in document["reason"]
    assert store.counts() == NOTHING


def test_latin_1_is_named_column_by_column(importing, store, tmp_path):
    path = written(tmp_path, rows("Andr\xe9,m2,4,1600000000").encode("latin-1"))
    (error,) = importing(path)["report"]["errors"]
    assert (error["line"], error["column"]) == (3, "user")
    assert "Latin-1" in error["reason"]


def test_a_byte_order_mark_is_no_matter(importing, store, tmp_path):
    path = written(tmp_path, b"\xef\xbb\xbf" + rows().encode())
    assert importing(path)["state"] == "done"
    assert store.rating_count() == 2


def test_swapped_columns_are_named(importing, store, tmp_path):
    lines = [f"u{n},m{n},{1600000000 + n},4.5" for n in range(50)]
    document = importing(written(tmp_path, HEADER + "\n".join(lines)))
    (hint,) = document["report"]["hints"]
    assert "the columns 'rating' and 'timestamp' look swapped" in hint


def test_very_many_bad_rows_are_counted_and_few_are_listed(importing, store, tmp_path):
    n = int(os.environ.get("PROJECTIONIST_TEST_BAD_ROWS", "200000"))
    path = written(tmp_path, HEADER + "u1,m1,bad,1600000000\n" * n)
    document = importing(path, "skip")
    report = document["report"]
    assert (document["state"], report["rows"], report["bad"]) == ("done", n, n)
    assert len(report["errors"]) == 1_000
    assert report["reasons"] == [["ratings.csv", "rating", "not a number: the text", n]]
    assert store.rating_count() == 0


def test_half_a_gigabyte_in_one_field_takes_no_memory(importing, store, tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = tmp_path / "ratings.csv"
    with path.open("wb") as stream:
        stream.write(rows()[:-1].encode() + b'\n"')
        stream.truncate(512 << 20)  # a hole: NULs, read like any other byte
    document = importing(path, "skip")
    assert (document["state"], document["report"]["bad"]) == ("done", 1)
    assert store.rating_count() == 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("rating", ["4", "5"], "String"),
        ("rating", [[4.0], [5.0]], "List"),
        ("user", [1.5, 2.5], "Float64"),
        ("timestamp", [True, False], "Boolean"),
    ],
)
def test_parquet_of_other_types_is_refused(importing, store, tmp_path, column, values, said):
    frame = pl.DataFrame({"user": [1, 2], "item": [1, 2], "rating": [4, 5], "timestamp": [1, 2]})
    path = tmp_path / "ratings.parquet"
    frame.with_columns(pl.Series(column, values)).write_parquet(path)
    document = importing(path)
    assert document["state"] == "failed"
    assert column in document["reason"]
    assert said in document["reason"]
    assert store.counts() == NOTHING


def test_bad_rows_of_parquet_and_ndjson_are_named(importing, store, tmp_path):
    path = tmp_path / "ratings.parquet"
    pl.DataFrame(
        {
            "user": ["a", None, "c", "d"],
            "item": ["1", "1", "1", " "],
            "rating": [4.0, 3.0, 7.5, 1.0],
        }
    ).write_parquet(path)
    found = [(e["line"], e["column"]) for e in importing(path)["report"]["errors"]]
    assert found == [(2, "user"), (3, "rating"), (4, "item")]
    lines = [
        '{"user_id": "a", "movie_id": "1", "rating": 4, "rated_at": "2020-01-01T00:00:00Z"}',
        '{"user_id": "a", "movie_id": "1", "rating": "4"}',
        '{"user_id": "a", "movie_id": "1", "rating": true}',
        '{"user_id": "a", "movie_id": "1"}',
        '{"user_id": "a", "movie_id": "1", "rating": NaN}',
        "[1]",
        '{"user_id": ["a"], "movie_id": "1", "rating": 3}',
        '{"user_id": 7, "movie_id": 8, "rating": 3}',
    ]
    document = importing(written(tmp_path, "\n".join(lines), "x.ndjson"), "skip", job="k")
    found = [(e["line"], e["column"]) for e in document["report"]["errors"]]
    # A text that is a number is taken: so files write it.
    assert found == [(3, "rating"), (4, "rating"), (5, None), (6, None), (7, "user_id")]
    assert store.rating_count() == 2


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


MOVIES = "movie_id,title,year,genres\nm1,One,1999,Drama\n"


def test_archives_that_attack_are_refused(importing, store, tmp_path):
    good = {"ratings.csv": rows(), "movies.csv": MOVIES}
    bomb = zipped(tmp_path / "bomb.zip", {**good, "more.csv": b"0" * (64 << 20)})
    outside = zipped(tmp_path / "out.zip", {**good, "../../etc/x.csv": "x"})
    link = tmp_path / "link.zip"
    with zipfile.ZipFile(link, "w") as archive:
        for name, content in good.items():
            archive.writestr(name, content)
        entry = zipfile.ZipInfo("users.csv")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    many = zipped(tmp_path / "many.zip", {**good, **{f"f{n}": "" for n in range(10_001)}})
    liar = tmp_path / "liar.zip"
    content = zipped(tmp_path / "one.zip", good).read_bytes()
    liar.write_bytes(content.replace(struct.pack("<L", zlib.crc32(rows().encode())), b"abcd"))
    for path, said in (
        (bomb, "zip bomb"),
        (outside, "outside"),
        (link, "symbolic link"),
        (many, "members"),
        (liar, "damaged"),
    ):
        document = importing(path, job=path.stem)
        assert document["state"] == "failed", path
        assert said in document["reason"]
        assert store.counts() == NOTHING
    assert importing(tmp_path / "one.zip", job="good")["state"] == "done"
    assert store.movie("m1").title == "One"


def test_movies_and_users_are_checked_too(importing, store, tmp_path):
    text = (
        "movie_id,title,year,genres,available,attributes\n"
        "m1,One,1999,Drama|Noir,true,{}\nm2,,1999,Drama,,\nm3,Three,99,,,\nm4,Four,,,maybe,\n"
        "m5,Five,,,,[1]\n"
    )
    document = importing(written(tmp_path, text, "movies.csv"), "skip", kind="movies")
    found = [(e["line"], e["column"]) for e in document["report"]["errors"]]
    assert found == [(3, "title"), (4, "year"), (5, "available"), (6, "attributes")]
    assert store.movie("m1").genres == ("Drama", "Noir")
    text = "user_id,age\nu1,7\n..,8\nu3,a\x01b\n"
    document = importing(written(tmp_path, text, "users.csv"), "skip", kind="users", job="u")
    assert [e["line"] for e in document["report"]["errors"]] == [3, 4]
    assert store.user("u1").attributes == {"age": "7"}


def test_ratings_are_stored_as_put_would_store_them(importing, store, tmp_path):
    path = written(tmp_path, "user,item,rating\na,x,3.7\nb,x,0.1\nc,x,0.30000000001\n")
    assert importing(path, scale=RatingScale(0.1, 10, 0.1))["state"] == "done"
    assert [record.rating for record in store.changes_since(0, 9)] == [3.7, 0.1, 0.3]
