"""What every store's import must do. Inherit it and give the fixture ``store``, empty."""

from __future__ import annotations

import time

import polars as pl
import pytest

from app.store import Counts, ImportReport, InvalidRecord, Movie, RatingRecord, User

RATINGS = pl.DataFrame(
    {
        "user": ["2", "10", "2"],
        "item": ["m2", "m1", "m1"],
        "rating": [4.5, 0.5, 3.0],
        "timestamp": [100, 200, 300],
    }
)
MOVIES = pl.DataFrame(
    {
        "movie_id": ["m1", "m3"],
        "title": ["Alien", "Brazil"],
        "year": [1979, None],
        "genres": [["Horror", "Sci-Fi"], []],
    }
)
USERS = pl.DataFrame({"user_id": ["2", "77"], "taste": ["kids", None]})


class StoreImportContract:
    """One transaction for a whole data set."""

    def test_all_of_it_is_stored(self, store):
        report = store.import_dataset(RATINGS, MOVIES, USERS)
        assert report == ImportReport(
            users=3, movies=3, ratings=3, unchanged=0, version_from=0, version_to=3
        )
        assert store.counts() == Counts(users=3, movies=3, ratings=3)
        assert store.all_movies() == [
            Movie("m1", "Alien", 1979, ("Horror", "Sci-Fi")),
            Movie("m2", "m2"),  # rated, but in no file
            Movie("m3", "Brazil"),
        ]
        assert store.users(None, 9) == [
            User("2", {"taste": "kids"}, 2),
            User("10", {}, 1),
            User("77", {}, 0),
        ]
        assert store.changes_since(0, 9) == [
            RatingRecord("10", "m1", 0.5, 200, 1),
            RatingRecord("2", "m1", 3.0, 300, 2),
            RatingRecord("2", "m2", 4.5, 100, 3),
        ]
        assert store.snapshot().ratings.rows() == [
            ("10", "m1", 0.5, 200),
            ("2", "m1", 3.0, 300),
            ("2", "m2", 4.5, 100),
        ]
        assert store.snapshot().watermark == 3

    def test_again_it_changes_nothing(self, store):
        store.import_dataset(RATINGS, MOVIES, USERS)
        report = store.import_dataset(RATINGS, MOVIES, USERS)
        assert report == ImportReport(0, 0, 0, unchanged=3, version_from=3, version_to=3)
        assert store.rating_count() == store.version() == 3

    def test_only_what_changed_takes_a_version(self, store):
        store.import_dataset(RATINGS)
        store.delete_rating("2", "m2").result()
        changed = RATINGS.with_columns(pl.Series("rating", [4.5, 1.0, 3.0]))
        more = pl.concat([changed, RATINGS.head(1).with_columns(user=pl.lit("3"))])
        report = store.import_dataset(more)
        assert report == ImportReport(1, 0, ratings=3, unchanged=1, version_from=4, version_to=7)
        assert store.rating_count() == 4
        assert store.ratings_of("2", None, 9) == [
            RatingRecord("2", "m1", 3.0, 300, 2),
            RatingRecord("2", "m2", 4.5, 100, 6),
        ]

    def test_records_that_files_do_not_speak_of_stay(self, store):
        store.put_movie(Movie("m1", "x", 1, ("y",), available=False, attributes={"a": 1})).result()
        store.put_user(User("2", {"taste": "art"})).result()
        store.import_dataset(RATINGS, MOVIES, USERS.select("user_id"))
        assert store.movie("m1") == Movie(
            "m1", "Alien", 1979, ("Horror", "Sci-Fi"), available=False, attributes={"a": 1}
        )
        assert store.user("2").attributes == {"taste": "art"}
        with_links = MOVIES.with_columns(imdb=pl.Series([78748, None]))
        store.import_dataset(RATINGS, with_links, USERS)
        assert store.movie("m1").attributes == {"imdb": 78748}
        assert store.movie("m3").attributes == {}
        assert store.user("2").attributes == {"taste": "kids"}
        assert store.movies(None, 9, "alie")[0].movie_id == "m1"

    def test_of_two_rows_for_one_pair_the_last_counts(self, store):
        twice = pl.concat([RATINGS, RATINGS.tail(1).with_columns(rating=pl.lit(5.0))])
        assert store.import_dataset(twice).ratings == 3
        assert store.ratings_of("2", None, 1)[0].rating == 5.0

    def test_whole_number_ids_become_texts(self, store):
        store.import_dataset(
            pl.DataFrame({"user": [1, 10], "item": [7, 7], "rating": [4, 5], "timestamp": [1, 2]}),
            pl.DataFrame({"movie_id": [7], "title": ["Seven"]}),
        )
        assert [user.user_id for user in store.users(None, 9)] == ["1", "10"]
        assert store.movie("7").title == "Seven"

    def test_ids_with_signs_that_mean_something_elsewhere_come_in_as_they_are(self, store):
        odd = ["\\N", "\\.", "a\\tb", 'say "x"', "a,b", "'; --", "NULL", "%s", "{}"]
        frame = pl.DataFrame({"user": odd, "item": odd[::-1], "rating": 3.0, "timestamp": 1})
        for n in (len(odd), 0):  # copied straight, then compared with what is stored
            assert store.import_dataset(frame).ratings == n
        assert store.snapshot().ratings.select("user", "item").rows() == sorted(
            zip(odd, odd[::-1], strict=True)
        )
        assert {movie.movie_id for movie in store.all_movies()} == set(odd)

    def test_a_narrow_float_keeps_the_digits_of_its_file(self, store):
        frame = RATINGS.with_columns(pl.Series("rating", [3.7, 0.1, 4.5], dtype=pl.Float32))
        store.import_dataset(frame)
        assert [r.rating for r in store.changes_since(0, 9)] == [0.1, 4.5, 3.7]
        assert store.import_dataset(frame).unchanged == 3

    def test_without_times_it_takes_the_time_of_the_import_and_repeats_quietly(self, store):
        began = int(time.time())
        frame = RATINGS.drop("timestamp")
        store.import_dataset(frame)
        times = {record.rated_at for record in store.changes_since(0, 9)}
        assert len(times) == 1
        assert began <= times.pop() <= time.time()
        assert store.import_dataset(frame).unchanged == 3
        assert store.import_dataset(RATINGS).ratings == 3  # now the times are known
        assert store.import_dataset(frame).unchanged == 3

    def test_no_ratings_at_all_is_an_import_too(self, store):
        report = store.import_dataset(pl.DataFrame(), MOVIES, pl.DataFrame())
        assert report == ImportReport(0, 2, 0, 0, 0, 0)

    @pytest.mark.parametrize(
        ("column", "values"),
        [
            ("rating", [4.5, float("nan"), 3.0]), ("rating", [4.5, None, 3.0]),
            ("rating", [4.5, float("inf"), 3.0]), ("rating", [4.5, 1e9, 3.0]),
            ("rating", ["4.5", "x", "3"]), ("timestamp", [1, 2, 2**63]),
            ("user", ["2", "", "2"]), ("user", ["2", None, "2"]), ("user", ["2", "x" * 129, "2"]),
            ("item", ["m2", "a\x00b", "m1"]), ("item", ["m2", "\x85", "m1"]),
            ("item", ["m2", "popular", "m1"]), ("item", ["m2", ".", "m1"]),
            ("user", ["2", "..", "2"]), ("user", ["2", " 2", "2"]),
            ("item", ["m2", "a\u3000", "m1"]),
        ],
    )  # fmt: skip
    def test_one_bad_row_refuses_the_whole(self, store, column, values):
        kind = pl.UInt64 if column == "timestamp" else None
        frame = RATINGS.with_columns(pl.Series(column, values, dtype=kind))
        with pytest.raises(InvalidRecord, match="ratings"):
            store.import_dataset(frame, MOVIES, USERS)
        assert store.counts() == Counts(0, 0, 0)

    @pytest.mark.parametrize(
        ("movies", "users"),
        [
            (MOVIES.rename({"movie_id": "id"}), USERS),
            (MOVIES.with_columns(movie_id=pl.Series(["m1", ""])), USERS),
            (MOVIES.with_columns(movie_id=pl.Series(["m1", "popular"])), USERS),
            (MOVIES.with_columns(title=pl.Series(["a\x00", "b"])), USERS),
            (MOVIES.with_columns(genres=pl.lit("Horror|Sci-Fi")), USERS),
            (MOVIES.with_columns(genres=pl.Series([["x"], [None]])), USERS),
            (MOVIES, USERS.rename({"user_id": "id"})),
            (MOVIES, USERS.with_columns(user_id=pl.Series(["2", "\n"]))),
            (MOVIES, USERS.with_columns(user_id=pl.Series(["2", ".."]))),
            (MOVIES, USERS.with_columns(taste=pl.Series([1.0, float("nan")]))),
        ],
    )
    def test_one_bad_record_refuses_the_whole(self, store, movies, users):
        with pytest.raises(InvalidRecord):
            store.import_dataset(RATINGS, movies, users)
        assert store.counts() == Counts(0, 0, 0)

    @pytest.mark.parametrize("missing", ["user", "item", "rating"])
    def test_a_missing_column_is_named(self, store, missing):
        with pytest.raises(InvalidRecord, match=f"no column {missing}; found: "):
            store.import_dataset(RATINGS.drop(missing))

    def test_progress_is_told_and_may_stop_it(self, store):
        many = _many(120_000)
        told = []
        store.import_dataset(many, progress=lambda done, total: told.append((done, total)))
        assert told[0] == (0, 120_000)
        assert told[-1] == (120_000, 120_000)
        assert len(told) > 2
        assert told == sorted(told)

    def test_an_import_that_fails_half_way_leaves_nothing(self, store):
        def stop(done, _total):
            if done:
                raise InterruptedError

        store.import_dataset(RATINGS)
        with pytest.raises(InterruptedError):
            store.import_dataset(_many(120_000), MOVIES, USERS, progress=stop)
        assert store.counts() == Counts(users=2, movies=2, ratings=3)
        assert store.version() == 3
        # The counters were taken back as well.
        assert store.put_rating("2", "m1", 1, 1).result().version == 4

    def test_the_snapshot_is_what_was_imported(self, store):
        many = _many(30_000)
        store.import_dataset(many)
        snapshot = store.snapshot()
        assert snapshot.watermark == 30_000
        assert snapshot.ratings.schema == {
            "user": pl.String,
            "item": pl.String,
            "rating": pl.Float32,
            "timestamp": pl.Int64,
        }
        expected = many.sort("user", "item").cast(dict(snapshot.ratings.schema))
        assert snapshot.ratings.equals(expected)


def _many(n):
    """Return ``n`` different ratings of 1,000 users, some of them with 1,000s of decimals."""
    rows = pl.int_range(n, eager=True)
    return pl.DataFrame(
        {
            "user": (rows % 1000).cast(pl.String),
            "item": (rows // 1000).cast(pl.String),
            "rating": (rows * 7919 % 1000) / 200.0,
            "timestamp": 10**9 + rows * 31 % 10**8,
        }
    )
