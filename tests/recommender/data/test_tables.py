"""Reading our CSV tables: what is read, and what is said of the first bad line."""

from __future__ import annotations

import os
import re

import polars as pl
import pytest

from recommender.data.rating_scale import RatingScale
from recommender.data.tables import read_movies, read_ratings, read_users
from recommender.errors import FileFormatError

GOOD = "user_id,movie_id,rating,timestamp\n007,m1,4.0,964982703\n8,m2,0.5,0\n"


# --- ratings that are read ----------------------------------------------------------------


def test_ids_keep_their_leading_zeros(write):
    table = read_ratings(write(GOOD))
    assert table.schema == {
        "user": pl.String,
        "item": pl.String,
        "rating": pl.Float32,
        "timestamp": pl.Int64,
    }
    assert table.rows() == [("007", "m1", 4.0, 964982703), ("8", "m2", 0.5, 0)]


def test_ids_are_numbers_when_asked_for(write):
    table = read_ratings(write("user,item,rating\n007,2,4\n"), integer_ids=True)
    assert table.rows() == [(7, 2, 4.0)]


@pytest.mark.parametrize("user", ["user", "user_id", "userId", "USER_ID"])
@pytest.mark.parametrize("item", ["item", "item_id", "movie_id", "movieId"])
@pytest.mark.parametrize("time", ["timestamp", "rated_at"])
def test_every_name_of_a_column_is_known(write, user, item, time):
    path = write(f"{time},{item},comment,{user},rating\n5,i,hello,u,3.5\n")
    assert read_ratings(path).rows() == [("u", "i", 3.5, 5)]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2026-06-05T19:45:30Z", 1780688730),
        ("2026-06-05T21:45:30+02:00", 1780688730),
        ("2026-06-05 19:45:30", 1780688730),
        ("2026-06-05T19:45:30.750", 1780688730),
        ("2026-06-05", 1780617600),
        ("1780688730", 1780688730),
        ("2100-01-01T00:00:00Z", 4102444800),
    ],
)
def test_times_may_be_seconds_or_iso_8601(write, written, seconds):
    path = write(f"user,item,rating,rated_at\na,b,3,{written}\n")
    assert read_ratings(path)["timestamp"].to_list() == [seconds]


def test_times_may_be_mixed(write):
    path = write("user,item,rating,rated_at\na,b,3,7\na,c,3,1970-01-01T00:00:08Z\n")
    assert read_ratings(path)["timestamp"].to_list() == [7, 8]


@pytest.mark.parametrize(
    "content",
    [
        "user,item,rating\r\na,b,3\r\n",
        "\ufeffuser,item,rating\na,b,3\n",
        "user,item,rating\na,b,3",
        '"user","item","rating"\n"a","b","3"\n',
        "user,item,rating\n\n\na,b,3\n\n",
        " user , item , rating \na,b,3\n",
        "user,item,rating\na,b, 3 \n",
    ],
    ids=[
        "crlf",
        "mark",
        "no last line end",
        "all quoted",
        "blank lines",
        "padded header",
        "padded number",
    ],
)
def test_harmless_ways_to_write_a_table(write, content):
    assert read_ratings(write(content)).rows() == [("a", "b", 3.0)]


def test_quotes_commas_and_line_ends_inside_fields(write):
    path = write('user,note,item,rating\n"a, ""b""","one\ntwo",i,3\nc,,i,4\n')
    assert read_ratings(path).rows() == [('a, "b"', "i", 3.0), ("c", "i", 4.0)]


def test_a_short_row_is_refused_even_when_nobody_reads_what_it_lacks(write, refusal):
    path = write("user,item,rating,note\na,b,3,x\na,c,3\na,d,3,x\n")
    assert "found 3 fields; expected 4" in refusal(read_ratings, path, line=3)


def test_another_scale(write, refusal):
    path = write("user,item,rating\na,b,10\n")
    assert read_ratings(path, scale=RatingScale(1, 10, 1))["rating"].to_list() == [10.0]
    assert "0.5 to 5 in steps of 0.5" in refusal(read_ratings, path, line=2)


# --- ratings that are refused -------------------------------------------------------------

HEADER = "user,item,rating,timestamp\n"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,b,5.5,1", "column 'rating': found the number '5.5'; allowed: 0.5 to 5 in steps"),
        ("a,b,0,1", "column 'rating': found the number '0'"),
        ("a,b,3.7,1", "column 'rating': found the number '3.7'; allowed: 0.5 to 5 in steps"),
        ("a,b,nan,1", "column 'rating': found the text 'nan'"),
        ("a,b,inf,1", "column 'rating': found the text 'inf'"),
        ("a,b,good,1", "column 'rating': found the text 'good'"),
        ("a,b,,1", "column 'rating': found nothing"),
        ("a,b,3 3,1", "column 'rating': found the text '3 3'"),
        ("a,b,3_0,1", "column 'rating': found the text '3_0'"),
        ("a,b,964982703,3", "columns in the order that the header says?"),
        (",b,3,1", "column 'user': found nothing; allowed: 1 to 128 characters"),
        ('"",b,3,1', "column 'user': found nothing"),
        ("a, b,3,1", "column 'item': found a space at an end of ' b'"),
        ("a\u00a0,b,3,1", "column 'user': found a space at an end"),
        ("a\x1b[31m,b,3,1", r"column 'user': found a control character in 'a\x1b[31m'"),
        ("a\x85,b,3,1", r"column 'user': found a control character in 'a\x85'"),
        ('"a\nb",b,3,1', r"column 'user': found a control character in 'a\nb'"),
        (f"{'u' * 129},b,3,1", "column 'user': found 129 characters"),
        ("a,b,3,-1", "column 'timestamp': found the number '-1'; allowed: whole seconds"),
        ("a,b,3,4102444801", "column 'timestamp': found the number '4102444801'"),
        ("a,b,3,964982703000", "milliseconds?"),
        ("a,b,3,yesterday", "column 'timestamp': found the text 'yesterday'"),
        ("a,b,3,", "column 'timestamp': found nothing"),
        ("a,b,3,1.5", "column 'timestamp': found the number '1.5'"),
        ("a,b,3", "found 3 fields; expected 4: user,item,rating,timestamp"),
        ("a,b,3,1,5", "found 5 fields; expected 4"),
        ("a", "found 1 field; expected 4"),
        ('a,"b,3,1', "quoting of this record cannot be read"),
        ('a,"b"c,3,1', "quoting of this record cannot be read"),
    ],
)
def test_a_bad_row_is_named_by_line_column_value_and_rule(write, row, says, refusal):
    # A line end inside quotes comes before it, so that counting records would be wrong.
    path = write(f'{HEADER}a,b,3,1\n"x","y",4,2\n{row}\nc,d,3,1\n')
    assert says in refusal(read_ratings, path, line=4)


def test_lines_are_counted_through_quoted_line_ends(write, refusal):
    path = write('user,"no\nte",item,rating\na,"1\n2\n3",i,3\nb,,i,3\nc,,i,9\n')
    assert "'9'" in refusal(read_ratings, path, line=7)


@pytest.mark.parametrize("value", ["-1", "1.0", "m1", "9223372036854775808", "1e3", ""])
def test_ids_that_are_no_numbers_are_refused_when_numbers_are_asked_for(write, value, refusal):
    path = write(f"user,item,rating\n1,2,3\n1,{value},3\n")
    reason = refusal(read_ratings, path, line=3, integer_ids=True)
    assert "column 'item'" in reason
    assert "a whole number from 0" in reason


def test_a_message_never_shows_more_than_forty_characters_and_no_control_character(write, refusal):
    reason = refusal(read_ratings, write(f"{HEADER}a,b,{'x' * 90}\x07\u202e,1\n"), line=2)
    shown = re.search(r"'(x[^']*)'", reason)[1]
    assert len(shown) == 40
    bell = refusal(read_ratings, write(f"{HEADER}a,b,\x07\u202e{'x' * 90},1\n"), line=2)
    assert "\x07" not in bell
    assert "\u202e" not in bell
    assert len(re.search(r"'(\\x07[^']*)'", bell)[1]) <= 40


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b"", None, "the file is empty"),
        (b" \n\n", None, "holds no text"),
        (b"user,item,rating\n", None, "holds no ratings"),
        (b"user,item\na,b\n", 1, "lacks a column: 'rating'"),
        (b"rating\n3\n", 1, "'user_id' or 'user'; 'movie_id' or 'item_id' or 'movie' or 'item'"),
        (b"1,31,2.5,1260759144\n", 1, "data where the header should be?"),
        (b"user;item;rating\na;b;3\n", 1, "separated by semicolons; expected: commas"),
        (b"user\titem\trating\na\tb\t3\n", 1, "separated by tabs"),
        (b"user,user_id,item,rating\na,a,b,3\n", 1, "'user' and 'user_id' mean the same"),
        ("user,item,rating\na,b,3\n".encode("utf-16"), 1, "this is UTF-16 text"),
        ("user,item,rating\na,b,3\n".encode("utf-16-le"), 1, "NUL byte"),
        ("user,item,rating\na,b,3\né,b,3\n".encode("latin-1"), 3, "byte 0xE9 (byte 1 of the line)"),
        (b"user,item,rating\na,b,3\na,b\0,3\n", 3, "NUL byte"),
        (b"user,item,rating\ra,b,3\r", 1, "carriage return without a line feed"),
        (b"PK\x03\x04rest", None, "a zip archive"),
        (b"PAR1rest", None, "a Parquet file; known for tables: CSV with a header"),
        (b"\x1f\x8brest", None, "a gzip file"),
    ],
)
def test_files_that_are_something_else(write, content, line, says, refusal):
    assert says in refusal(read_ratings, write(content), line=line)


@pytest.mark.parametrize("reader", [read_ratings, read_movies, read_users])
def test_nothing_a_folder_and_odd_files(tmp_path, reader, refusal):
    assert "no such file" in refusal(reader, tmp_path / "none.csv")
    assert "is a folder" in refusal(reader, tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "no ordinary file" in refusal(reader, tmp_path / "pipe")
    with pytest.raises(FileFormatError, match="no such file"):
        reader("a\0b")
