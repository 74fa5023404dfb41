"""What is exported can be imported again, and gives the same store."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.exporting.writing import FORMATS, write
from app.importing.running import Import, Wanted
from app.store import Movie, User, open_store
from recommender.data.rating_scale import RatingScale

letters = st.characters(blacklist_categories=("Cs", "Cc"))
awkward = st.sampled_from(
    ["=1+1", "'=x", "''-x", "@a", "+1", "-1", "'71", "a,b", 'a"b', "007", "é", "[a]", "NaN", "null"]
)
ids = (st.text(letters, min_size=1, max_size=12) | awkward).filter(
    lambda text: text == text.strip() and text not in {".", "..", "popular"}
)
texts = st.text(letters, min_size=1, max_size=20).filter(str.strip) | awkward
genres = st.lists(
    st.text(letters, min_size=1, max_size=8) | st.sampled_from(["a|b", "[x", "D"]), max_size=3
)
values = (
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | texts | st.lists(texts, max_size=2)
)
attributes = st.dictionaries(st.text(letters, min_size=1, max_size=6), values, max_size=3)
movies = st.dictionaries(
    ids,
    st.tuples(texts, st.none() | st.integers(1870, 2100), genres, st.booleans(), attributes),
    min_size=1,
    max_size=4,
)
users = st.dictionaries(ids, attributes, min_size=1, max_size=3)
stars = st.integers(1, 10).map(lambda n: n / 2)


def contents(store):
    return (
        store.all_movies(),
        store.users(None, 100),
        [(r.user_id, r.movie_id, r.rating, r.rated_at) for u in store.users(None, 100)
         for r in store.ratings_of(u.user_id, None, 100)],
    )  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
@given(movies=movies, users=users, data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_same_store_comes_out(form, movies, users, data):
    with tempfile.TemporaryDirectory() as folder, open_store(None, Path(folder) / "one") as one:
        for movie_id, (title, year, names, available, more) in movies.items():
            one.put_movie(Movie(movie_id, title, year, tuple(names), available, more))
        for user_id, more in users.items():
            one.put_user(User(user_id, more))
        for _ in range(data.draw(st.integers(1, 6))):
            one.put_rating(
                data.draw(st.sampled_from(sorted(users))),
                data.draw(st.sampled_from(sorted(movies))),
                data.draw(stars),
                data.draw(st.integers(0, 1_700_000_000)),
            ).result()
        with open_store(None, Path(folder) / "two") as two:
            for kind in ("movies", "users", "ratings"):
                path = Path(folder) / f"{kind}.{form}"
                with path.open("w+b") as stream:
                    write(one.export(kind), form, stream)
                wanted = Wanted("atomic", kind, form)
                document = Import(two, path, path.name, wanted, RatingScale(), kind).run()
                assert document["state"] == "done", document
            assert contents(two) == contents(one)


def test_no_cell_begins_like_a_formula(tmp_path):
    with open_store(None, tmp_path) as store:
        for start in ("=cmd()", "+1", "-1", "@x", "'=1"):
            store.put_movie(Movie(start, start, None, (start,), True, {"a": start})).result()
            store.put_rating(start, start, 4, 1).result()
        for kind in ("movies", "users", "ratings"):
            with (tmp_path / "out.csv").open("w+b") as stream:
                write(store.export(kind), "csv", stream)
            for row in csv.reader((tmp_path / "out.csv").read_text().splitlines()):
                assert not [cell for cell in row if cell[:1] in {"=", "+", "-", "@"}]


def test_an_export_is_of_one_moment(tmp_path, monkeypatch):
    monkeypatch.setattr("app.store.exporting.ROWS_AT_ONCE", 10)
    with open_store(None, tmp_path) as store:
        store.put_movie(Movie("m", "M")).result()
        for n in range(100):
            store.put_rating(f"u{n:03}", "m", 4, 1)
        store.set_fact("x", "y").result()
        frames = store.export("ratings")
        rows = [next(frames)]
        for n in range(100):
            store.put_rating(f"u{n:03}", "m", 1, 2)
        store.delete_rating("u099", "m").result()
        rows += frames
        assert [row for frame in rows for row in frame["rating"]] == [4.0] * 100
