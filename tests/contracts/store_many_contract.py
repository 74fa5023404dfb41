"""What every store does with many rows at once. Inherit it, with an empty ``store`` as fixture."""

from __future__ import annotations

import threading

import polars as pl
import pytest

from app.store import ImportReport, InvalidRecord, Movie, MovieNotFound, RatingRecord, User
from app.store.errors import KeyReused
from app.store.records import Chunk


def ratings(*rows):
    return pl.DataFrame(rows, ["user", "item", "rating", "timestamp"], orient="row")


ROWS = [("u1", "m1", 4.0, 10), ("u1", "gone", 3.0, 10), None, ("u2", "m1", 5.0, 11)]


class StoreManyContract:
    """Many ratings of one request, the chunks of an import, its job, and exports."""

    def test_each_row_has_its_result(self, store):
        store.put_movie(Movie("m1", "One")).result()
        stored = store.put_ratings([*ROWS, ("u1", "m1", float("nan"), 1)]).result()
        assert not stored.replayed
        first, missing, nothing, last, refused = stored.results
        assert first == RatingRecord("u1", "m1", 4.0, 10, 1)
        assert last == RatingRecord("u2", "m1", 5.0, 11, 2)
        assert isinstance(missing, MovieNotFound)
        assert missing.movie_id == "gone"
        assert nothing is None
        assert isinstance(refused, InvalidRecord)
        assert (store.rating_count(), store.version()) == (2, 2)

    def test_the_same_key_gives_the_same_and_stores_nothing(self, store):
        store.put_movie(Movie("m1", "One")).result()
        rows = [*ROWS, ("..", "m1", 3.0, 1)]
        first = store.put_ratings(rows, key="k", digest=b"1").result()
        store.put_rating("u1", "m1", 1.0, 99).result()
        again = store.put_ratings(rows, key="k", digest=b"1").result()
        assert again.replayed
        assert list(map(repr, again.results)) == list(map(repr, first.results))
        assert store.ratings_of("u1", None, 9)[0].rating == 1.0
        assert store.version() == 3
        with pytest.raises(KeyReused):
            store.put_ratings(rows[:1], key="k", digest=b"2").result()
        assert not store.put_ratings(rows, key="other", digest=b"1").result().replayed

    def test_of_many_at_once_with_one_key_one_stores(self, store):
        store.put_movie(Movie("m1", "One")).result()
        rows = [("u", "m1", 4.0, n) for n in range(20)]
        futures = []

        def send():
            futures.append(store.put_ratings(rows, key="k", digest=b"1"))

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        results = [future.result() for future in futures]
        assert sum(not one.replayed for one in results) == 1
        assert len({one.results for one in results}) == 1
        assert store.version() == 20

    @pytest.mark.parametrize("atomic", [True, False])
    def test_chunks_come_one_after_the_other(self, store, atomic):
        told = []
        movies = pl.DataFrame(
            [
                ("m1", "One", 1999, ["Drama"], False, '{"tags":["a"]}'),
                ("m2", "Two", None, [], None, None),
            ],
            schema={
                "movie_id": pl.String,
                "title": pl.String,
                "year": pl.Int64,
                "genres": pl.List(pl.String),
                "available": pl.Boolean,
                "attributes": pl.String,
            },
            orient="row",
        )
        users = pl.DataFrame({"user_id": ["u9"], "attributes": ['{"age":"7"}']})
        chunks = [
            Chunk({"at": 1}, movies=movies),
            Chunk({"at": 2}, users=users),
            Chunk({"at": 3}, ratings=ratings(("u1", "m1", 4.0, 10), ("u1", "m3", 2.0, None))),
            Chunk({"at": 4}, ratings=ratings(("u1", "m1", 5.0, 20), ("u2", "m1", 1.0, 5))),
        ]
        report = store.import_chunks(iter(chunks), atomic=atomic, job="j", progress=told.append)
        assert (report.users, report.movies, report.ratings, report.unchanged) == (3, 3, 4, 0)
        assert (report.version_from, report.version_to) == (0, 4)
        assert told[-1] == 4
        assert store.movie("m1") == Movie("m1", "One", 1999, ("Drama",), False, {"tags": ["a"]})
        assert store.movie("m2").available
        assert store.user("u9") == User("u9", {"age": "7"}, 0)
        assert store.ratings_of("u1", None, 9)[0].rating == 5.0
        assert (store.rating_count(), store.version()) == (3, 4)
        job = store.job("j")
        assert job["at"] == 4
        assert ImportReport(**job["stored"]) == report

    @pytest.mark.parametrize(("atomic", "left"), [(True, 0), (False, 1)])
    def test_what_fails_half_way_leaves_whole_chunks_or_nothing(self, store, atomic, left):
        def chunks():
            yield Chunk({"at": 1}, ratings=ratings(("u1", "m1", 4.0, 10)))
            raise ZeroDivisionError

        store.put_job("j", {"at": 0}).result()
        with pytest.raises(ZeroDivisionError):
            store.import_chunks(chunks(), atomic=atomic, job="j")
        assert store.rating_count() == left
        # What was handed over before the error may be stored or not; the job says which.
        assert store.job("j")["at"] == left
        assert store.put_rating("u1", "m1", 3, 1).exception() is None or atomic

    def test_a_bad_value_in_a_chunk_is_refused(self, store):
        bad = Chunk({"at": 1}, ratings=ratings(("u1", "m1", float("nan"), 10)))
        with pytest.raises(InvalidRecord):
            store.import_chunks(iter([bad]), atomic=True)
        assert store.rating_count() == 0

    def test_other_writes_go_on_between_chunks(self, store):
        store.put_movie(Movie("x", "X")).result()
        versions = []

        def chunks():
            for n in range(5):
                yield Chunk({"at": n}, ratings=ratings((f"u{n}", "m1", 4.0, 10)))
                versions.append(store.put_rating("other", "x", 3.0, n).result().version)

        store.import_chunks(chunks(), atomic=False)
        assert versions == sorted(versions)
        assert store.rating_count() == 6

    def test_jobs_are_listed_newest_first(self, store):
        assert store.job("a") is None
        for name in "abc":
            store.put_job(name, {"name": name, "n": 1}).result()
        store.put_job("a", {"name": "a", "n": 2}).result()
        assert store.job("a") == {"name": "a", "n": 2}
        assert [job["name"] for job in store.jobs(2)] == ["c", "b"]

    def test_an_export_has_what_is_live(self, store):
        assert [frame.height for frame in store.export("ratings")] == [0]
        movies = [
            Movie("m1", "One", 1999, ("A", "B|C"), False, {"x": [1, None]}),
            Movie("m2", "Two"),
        ]
        for movie in movies:
            store.put_movie(movie).result()
        store.put_user(User("u9", {"age": 7})).result()
        store.put_rating("u1", "m1", 4.5, 7).result()
        store.put_rating("u1", "m2", 4.5, 7).result()
        store.delete_rating("u1", "m2").result()
        exported = {
            kind: pl.concat(store.export(kind)).rows() for kind in ("ratings", "movies", "users")
        }
        assert exported["ratings"] == [("u1", "m1", 4.5, 7)]
        assert exported["movies"] == [
            ("m1", "One", 1999, ["A", "B|C"], False, '{"x":[1,null]}'),
            ("m2", "Two", None, [], True, "{}"),
        ]
        assert exported["users"] == [("u1", "{}"), ("u9", '{"age":7}')]
