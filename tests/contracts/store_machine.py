"""Random lives of a store, compared at each step with plain dictionaries."""

from __future__ import annotations

import polars as pl
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.store import Counts, Movie, MovieNotFound, RatingRecord

USER_IDS = st.sampled_from(["1", "2", "10", "ann", "Ünal"])
MOVIE_IDS = st.sampled_from(["1", "3", "20", "tt9"])
STARS = st.integers(1, 10).map(lambda half: half / 2)
TIMES = st.integers(0, 3)


class StoreMachine(RuleBasedStateMachine):
    """Give ``open_again()``, which opens the one store of this life."""

    def __init__(self):
        super().__init__()
        self.movies = {}
        self.users = set()
        self.ratings = {}  # (user, movie) -> (stars or None, time, version)
        self.version = 0
        self.store = self.open_again()

    def open_again(self):
        raise NotImplementedError

    def teardown(self):
        self.store.close()

    @rule(movie=MOVIE_IDS, title=st.sampled_from(["Alien", "Brazil", "Ça ira"]))
    def put_movie(self, movie, title):
        new = movie not in self.movies
        self.movies[movie] = title
        assert self.store.put_movie(Movie(movie, title)).result() is new

    @rule(movie=MOVIE_IDS)
    def delete_movie(self, movie):
        there = self.movies.pop(movie, None) is not None
        assert self.store.delete_movie(movie).result() is there
        if there:
            for user in sorted(user for user, rated in self.ratings if rated == movie):
                self._bury(user, movie)

    @rule(user=USER_IDS, movie=MOVIE_IDS, stars=STARS, time=TIMES)
    def rate(self, user, movie, stars, time):
        future = self.store.put_rating(user, movie, stars, time)
        if movie not in self.movies:
            assert isinstance(future.exception(), MovieNotFound)
            return
        self._rate(user, movie, stars, time)
        assert future.result() == RatingRecord(user, movie, *self.ratings[user, movie])

    @rule(user=USER_IDS, movie=MOVIE_IDS)
    def delete(self, user, movie):
        buried = self.store.delete_rating(user, movie).result()
        if self._bury(user, movie):
            assert buried == RatingRecord(user, movie, *self.ratings[user, movie])
        else:
            assert buried is None

    @rule(rows=st.dictionaries(st.tuples(USER_IDS, MOVIE_IDS), st.tuples(STARS, TIMES)))
    def import_dataset(self, rows):
        frame = pl.DataFrame(
            [(*pair, *rating) for pair, rating in rows.items()],
            schema={"user": pl.String, "item": pl.String, "rating": pl.Float64, "timestamp": int},
            orient="row",
        )
        report = self.store.import_dataset(frame)
        assert report.version_from == self.version
        for (user, movie), (stars, time) in sorted(rows.items()):
            self.movies.setdefault(movie, movie)
            self._rate(user, movie, stars, time)
        assert report.version_to == self.version
        assert report.ratings + report.unchanged == len(rows)

    @precondition(lambda self: self.version)
    @rule()
    def reopen(self):
        self.store.close()
        self.store = self.open_again()

    @invariant()
    def it_is_what_the_dictionaries_say(self):
        live = {key: value for key, value in self.ratings.items() if value[0] is not None}
        counts = Counts(len(self.users), len(self.movies), len(live))
        assert self.store.counts() == counts
        assert self.store.version() == self.version
        snapshot = self.store.snapshot()
        assert snapshot.watermark == self.version
        assert snapshot.ratings.rows() == [
            (*key, stars, time) for key, (stars, time, _) in sorted(live.items())
        ]
        changes = self.store.changes_since(0, 1000)
        assert changes == [
            RatingRecord(*key, *value)
            for key, value in sorted(self.ratings.items(), key=lambda pair: pair[1][2])
        ]
        for user in self.users:
            mine = [key[1] for key in live if key[0] == user]
            mine.sort(key=lambda text: (len(text), text))
            assert [each.movie_id for each in self.store.ratings_of(user, None, 99)] == mine
            assert self.store.user(user).n_ratings == len(mine)
            newer = [one for one in changes if one.user_id == user and one.version > 2]
            found = self.store.changes_of(user, 2)
            assert sorted(found, key=lambda one: one.version) == newer
        assert {movie.movie_id: movie.title for movie in self.store.all_movies()} == self.movies

    def _rate(self, user, movie, stars, time):
        self.users.add(user)
        if self.ratings.get((user, movie), ())[:2] != (stars, time):
            self.version += 1
            self.ratings[user, movie] = (stars, time, self.version)

    def _bury(self, user, movie):
        before = self.ratings.get((user, movie))
        if before is None or before[0] is None:
            return False
        self.version += 1
        self.ratings[user, movie] = (None, before[1], self.version)
        return True
