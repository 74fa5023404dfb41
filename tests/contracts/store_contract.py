"""What every store must do, whatever it stores in.

Inherit ``StoreContract`` and give the fixture ``reopen``; likewise ``StoreImportContract`` and
``StoreMachine`` beside it.
"""

from __future__ import annotations

import pytest

from app.store import (
    Counts,
    InvalidRecord,
    Movie,
    MovieNotFound,
    RatingRecord,
    User,
)
from tests.contracts.store_list_contract import StoreListContract
from tests.contracts.store_thread_contract import StoreThreadContract, put_movies


class StoreContract(StoreListContract, StoreThreadContract):
    """Records, ratings, versions; lists; many threads at once."""

    @pytest.fixture
    def reopen(self):
        """Return a function that opens the same store, empty at first; the caller closes it."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, reopen):
        with reopen() as store:
            yield store

    # ----- movies and users -----

    def test_a_new_store_is_empty(self, store):
        assert store.counts() == Counts(0, 0, 0)
        assert store.version() == store.rating_count() == 0
        assert store.all_movies() == store.movies(None, 5) == store.users(None, 5) == []
        assert store.movie("1") is store.user("1") is store.get_fact("notice") is None
        assert store.snapshot().ratings.is_empty()
        store.ping()

    def test_a_movie_comes_back_as_it_was_put(self, store, reopen):
        movie = Movie(
            "tt1",
            "Le Fabuleux Destin d'Amélie Poulain 😀",
            2001,
            ("Comedy", "Romance"),
            available=False,
            attributes={"imdb": 211915, "tags": ["Paris", None], "score": {"mean": 4.5}},
        )
        bare = Movie("2", "?")
        assert store.put_movie(movie).result() is True
        assert store.put_movie(bare).result() is True
        assert store.movie("tt1") == movie
        assert store.movie("2") == bare
        store.close()
        with reopen() as again:
            assert again.all_movies() == [bare, movie]

    def test_a_movie_put_again_is_replaced_whole(self, store):
        store.put_movie(Movie("1", "Old", 1990, ("Drama",), attributes={"a": 1})).result()
        new = Movie("1", "New", None, (), available=False)
        assert store.put_movie(new).result() is False
        assert store.all_movies() == [new]
        assert store.movies(None, 5, "old") == []
        assert store.movies(None, 5, "new") == [new]

    def test_a_user_comes_back_with_a_count(self, store):
        assert store.put_user(User("u", {"taste": "kids"}, n_ratings=99)).result() is True
        assert store.user("u") == User("u", {"taste": "kids"}, 0)
        assert store.put_user(User("u", {"taste": "art"})).result() is False
        put_movies(store, "1", "2")
        store.put_rating("u", "1", 4, 0).result()
        store.put_rating("u", "2", 4, 0).result()
        store.delete_rating("u", "2").result()
        assert store.user("u") == User("u", {"taste": "art"}, 1)
        assert store.users(None, 5) == [User("u", {"taste": "art"}, 1)]

    def test_a_fact_is_kept_replaced_and_forgotten(self, store):
        store.set_fact("notice", "Simulated ratings: no real person.").result()
        assert store.get_fact("notice") == "Simulated ratings: no real person."
        store.set_fact("notice", "other").result()
        assert store.get_fact("notice") == "other"
        store.set_fact("notice", None).result()
        assert store.get_fact("notice") is None

    # ----- ratings and versions -----

    def test_each_change_takes_the_next_version(self, store):
        put_movies(store, "1", "2")
        first = store.put_rating("u", "1", 4, 100).result()
        assert first == RatingRecord("u", "1", 4.0, 100, 1)
        assert store.put_rating("u", "2", 0.5, 50).result().version == 2
        assert store.put_rating("v", "1", 3.5, 50).result().version == 3
        assert store.put_rating("u", "1", 5, 100).result().version == 4
        assert store.put_rating("u", "1", 5, 101).result().version == 5
        assert store.version() == 5
        assert store.ratings_of("u", None, 9) == [
            RatingRecord("u", "1", 5.0, 101, 5),
            RatingRecord("u", "2", 0.5, 50, 2),
        ]
        assert store.counts() == Counts(users=2, movies=2, ratings=3)
        assert store.rating_count() == 3

    def test_the_same_rating_again_keeps_its_version(self, store):
        put_movies(store, "1")
        first = store.put_rating("u", "1", 4, 100).result()
        assert store.put_rating("u", "1", 4.0, 100).result() == first
        assert store.version() == store.rating_count() == 1

    def test_a_deletion_leaves_a_tombstone(self, store):
        put_movies(store, "1")
        store.put_rating("u", "1", 4, 100).result()
        buried = store.delete_rating("u", "1").result()
        assert buried == RatingRecord("u", "1", None, 100, 2)
        assert store.ratings_of("u", None, 9) == []
        assert store.changes_since(1, 9) == [buried]
        assert store.counts() == Counts(users=1, movies=1, ratings=0)
        assert store.snapshot().ratings.is_empty()
        # Deleting nothing is no change, and makes no user.
        assert store.delete_rating("u", "1").result() is None
        assert store.delete_rating("nobody", "1").result() is None
        assert store.user("nobody") is None
        assert store.version() == 2
        # The same rating once more is a change now.
        assert store.put_rating("u", "1", 4, 100).result().version == 3
        assert store.rating_count() == 1

    def test_a_rating_needs_its_movie(self, store):
        with pytest.raises(MovieNotFound, match="'7'") as caught:
            store.put_rating("u", "7", 4, 0).result()
        assert caught.value.movie_id == "7"
        assert store.counts() == Counts(0, 0, 0)

    def test_deleting_a_movie_buries_its_ratings(self, store):
        put_movies(store, "1", "2")
        for user in ("u", "v"):
            for movie in ("1", "2"):
                store.put_rating(user, movie, 4, 77).result()
        assert store.delete_movie("1").result() is True
        assert store.movie("1") is None
        assert store.rating_count() == store.snapshot().ratings.height == 2
        buried = store.changes_since(4, 9)
        assert [(each.user_id, each.movie_id, each.rating) for each in buried] == [
            ("u", "1", None),
            ("v", "1", None),
        ]
        assert [(each.rated_at, each.version) for each in buried] == [(77, 5), (77, 6)]
        with pytest.raises(MovieNotFound):
            store.put_rating("u", "1", 4, 0).result()
        assert store.delete_movie("1").result() is False

    def test_versions_go_on_after_reopening(self, store, reopen):
        put_movies(store, "1")
        store.put_rating("u", "1", 4, 0).result()
        store.close()
        with reopen() as again:
            assert again.put_rating("v", "1", 4, 0).result().version == 2
            assert again.rating_count() == 2

    def test_a_follower_catches_up_from_any_version(self, store):
        put_movies(store, *"123")
        for i in range(40):
            user, movie = "uvw"[i % 3], "123"[i % 7 % 3]
            if i % 5 == 4:
                store.delete_rating(user, movie).result()
            else:
                store.put_rating(user, movie, 1 + i % 4, i).result()
        for version in range(store.version() + 1):
            changes = _follow(store, version, limit=3)
            assert [each.version for each in changes] == sorted({c.version for c in changes})
            assert all(each.version > version for each in changes)
        live = {(c.user_id, c.movie_id, c.rating) for c in _follow(store, 0, 4) if c.rating}
        assert live == set(store.snapshot().ratings.select("user", "item", "rating").rows())

    # ----- what is refused -----

    @pytest.mark.parametrize(
        "bad", ["", "x" * 129, "a\nb", "a\x00", "\x7f", "\ud800", " a", "a ", ".", "..", 7, None]
    )
    def test_a_bad_id_is_refused(self, store, bad):
        put_movies(store, "1")
        _refused(store.put_rating(bad, "1", 4, 0))
        _refused(store.put_rating("u", bad, 4, 0))
        _refused(store.delete_rating("u", bad))
        _refused(store.put_movie(Movie(bad, "title")))
        _refused(store.delete_movie(bad))
        _refused(store.put_user(User(bad)))
        assert store.counts() == Counts(users=0, movies=1, ratings=0)

    def test_a_movie_id_that_an_address_has_taken_is_refused(self, store):
        _refused(store.put_movie(Movie("popular", "title")))
        with pytest.raises(InvalidRecord, match="popular"):
            store.put_movie(Movie("popular", "title")).result()
        assert store.put_user(User("popular")).result() is True

    def test_the_longest_id_is_taken(self, store):
        longest = "é" * 128
        put_movies(store, longest)
        store.put_rating(longest, longest, 4, 0).result()
        assert store.ratings_of(longest, None, 1)[0].movie_id == longest

    @pytest.mark.parametrize(
        ("rating", "rated_at"),
        [
            (float("nan"), 0), (float("inf"), 0), (-float("inf"), 0), (1e7, 0), (None, 0),
            ("4", 0), (True, 0), (4, 2**63), (4, -(2**63)), (4, 1.5), (4, None), (4, True),
        ],
    )  # fmt: skip
    def test_a_bad_rating_is_refused(self, store, rating, rated_at):
        put_movies(store, "1")
        store.put_rating("u", "1", 4, 0).result()
        _refused(store.put_rating("u", "1", rating, rated_at))
        assert store.ratings_of("u", None, 9) == [RatingRecord("u", "1", 4.0, 0, 1)]

    @pytest.mark.parametrize(
        "bad",
        [
            Movie("1", ""), Movie("1", "a\x00b"), Movie("1", "\udc00"), Movie("1", "t", 2**70),
            Movie("1", "t", 19.5), Movie("1", "t", None, ("Drama", "")),
            Movie("1", "t", attributes={"a": float("nan")}),
            Movie("1", "t", attributes={"a": "\ud800"}), Movie("1", "t", attributes={"a": {1}}),
        ],
    )  # fmt: skip
    def test_a_bad_movie_is_refused(self, store, bad):
        _refused(store.put_movie(bad))
        assert store.all_movies() == []

    def test_what_cannot_be_stored_is_not_found_either(self, store):
        assert store.movie("\ud800") is store.user("\ud800") is None
        assert store.movies(None, 5, "\ud800") == store.users("\udfff", 5) == []
        assert store.ratings_of("\ud800", None, 5) == []


def _refused(future):
    with pytest.raises(InvalidRecord):
        future.result()


def _follow(store, version, limit):
    changes = []
    while page := store.changes_since(version, limit):
        changes += page
        version = page[-1].version
    return changes
