"""Reading our CSV tables of movies and users."""

from __future__ import annotations

import polars as pl
import pytest

from recommender.data.bundled import bundled_path
from recommender.data.tables import read_movies, read_ratings, read_users


def test_movies_with_a_year_column_keep_their_titles(write):
    path = write(
        'movie_id,title,year,genres\n01,"Matrix, The (1999)",1999,Action|Sci-Fi|Action\n2,Ran,,\n'
    )
    table = read_movies(path)
    assert table.schema == {
        "movie_id": pl.String,
        "title": pl.String,
        "year": pl.Int32,
        "genres": pl.List(pl.String),
    }
    assert table.rows() == [
        ("01", "Matrix, The (1999)", 1999, ["Action", "Sci-Fi"]),
        ("2", "Ran", None, []),
    ]


def test_movies_without_a_year_column_are_read_as_movielens(write):
    path = write('movieId,title,genres\n1,"Matrix, The (1999)",(no genres listed)\n')
    assert read_movies(path).rows() == [("1", "The Matrix", 1999, [])]


def test_movies_need_no_genres(write):
    assert read_movies(write("item,title\n1,Ran (1985)\n")).rows() == [("1", "Ran", 1985, [])]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("1,Again,1999,", "column 'movie_id': found '1' a second time, first on line 2"),
        (" 2,T,1999,", "column 'movie_id': found a space at an end"),
        ("2,  ,1999,", "column 'title': found only white space (2 characters)"),
        ("2,a\x07b,1999,", "column 'title': found a control character"),
        (f"2,{'t' * 501},1999,", "column 'title': found 501 characters"),
        ("2,T,99,", "column 'year': found the number '99'; allowed: a year from 1870 to 2100"),
        ("2,T,soon,", "column 'year': found the text 'soon'"),
        ("2,T,1999", "found 3 fields; the header has 4"),
        ('2,"T,1999,', "quoting of this record cannot be read"),
    ],
)
def test_a_bad_movie_is_named(write, row, says, refusal):
    path = write(f'movie_id,title,year,genres\n1,"One\t",1999,\n{row}\n')
    assert says in refusal(read_movies, path, line=3)


def test_users_carry_their_attributes(write):
    path = write("age,userId,city\n 31 ,07,\n,8,Köln\n")
    table = read_users(path)
    assert table.columns == ["user_id", "age", "city"]
    assert table.rows() == [("07", "31", None), ("8", None, "Köln")]


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ("user_id,a\n1,x\n1,y\n", 3, "column 'user_id': found '1' a second time, first on line 2"),
        ("user_id,a\n1,x\x00y\n", 2, "NUL byte"),
        ("user_id,a\n1,x\x07y\n", 2, "column 'a': found a control character"),
        ("user_id,a,a\n1,x,y\n", 1, "two columns have the name 'a'"),
        ("user_id,,b\n1,x,y\n", 1, "the name of column 2: found nothing"),
        ("name\nx\n", 1, "lacks a column: 'user_id' or 'user'"),
        ("user_id,a\n", None, "a header and no users"),
        ("user_id,user_id2,userId\n1,2,3\n", 1, "mean the same"),
    ],
)
def test_bad_users_are_named(write, content, line, says, refusal):
    assert says in refusal(read_users, write(content), line=line)


def test_the_bundled_tables_are_read():
    for name in ("course", "demo"):
        folder = bundled_path(name)
        ratings, movies = read_ratings(folder / "ratings.csv"), read_movies(folder / "movies.csv")
        assert ratings["item"].is_in(movies["movie_id"].to_list()).all()
