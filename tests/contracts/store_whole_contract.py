"""What every store must do when all of it goes out, and in again."""

from __future__ import annotations

import pytest

from app.store import Movie, StoreNotEmpty, User
from app.store.erasures import digest_of
from app.store.whole import table_names


def everything(store):
    """Return what each read of the interface says, of all there is."""
    users = store.users(None, 500)
    movies = store.all_movies()
    return {
        "users": users,
        "each user": [store.user(user.user_id) for user in users],
        "movies": movies,
        "listed": store.movies(None, 500),
        "searched": store.movies(None, 500, "o"),
        "each movie": [store.movie(movie.movie_id) for movie in movies],
        "ratings": [store.ratings_of(user.user_id, None, 500) for user in users],
        "changes": store.changes_since(0, 10_000),
        "changes of": [
            sorted(store.changes_of(user.user_id, 2), key=lambda change: change.version)
            for user in users
        ],
        "counts": (store.counts(), store.rating_count(), store.version()),
        "snapshot": (store.snapshot().ratings.rows(), store.snapshot().watermark),
        "facts": [store.get_fact(name) for name in ("notice", "erasure_salt", "nothing")],
        "jobs": store.jobs(100),
        "erasures": store.erasures_since(0),
        "exports": [
            [frame.rows() for frame in store.export(kind)]
            for kind in ("ratings", "movies", "users")
        ],
    }


def fill(store, more=""):
    """Store something of every kind."""
    store.put_movie(
        Movie("1", 'Tab\t "é😀" \\N', 1999, ("Drama", "a\nb"), False, {"x": [1, None, "\\"]})
    ).result()
    store.put_movie(Movie("10", "Ocean")).result()
    store.put_movie(Movie("gone", "Gone")).result()
    store.put_user(User("bare \\t 😀", {"mail": "a\tb\\"})).result()
    for user in ("u", "v", "w", f"x{more}"):
        for movie, stars in (("1", 0.1), ("10", 4.5), ("gone", -3.0)):
            store.put_rating(user, movie, stars, 1_600_000_000).result()
    store.delete_rating("u", "10").result()
    store.delete_movie("gone").result()
    store.set_fact("notice", "Simulated.").result()
    store.put_job("job", {"state": "done", "rows": [1, 2.5, None, {"ü": True}]}).result()
    rows = [("v", "1", 2.0, 5), None]
    store.put_ratings(rows, key="key", digest=b"\x00\xff").result()


class StoreWholeContract:
    """Inherit it and give the fixture ``reopen``, as for ``StoreContract``."""

    @pytest.fixture
    def store(self, reopen):
        with reopen() as store:
            yield store

    @pytest.fixture
    def other(self, tmp_path_factory):
        """Another store, of SQLite."""
        from app.store import open_store

        with open_store(None, tmp_path_factory.mktemp("other")) as store:
            yield store

    def test_what_goes_out_goes_in_again(self, store, other):
        fill(store)
        store.erase_user("w").result()
        fill(other, "other")
        assert other.restore(store.dump(), force=True).result() == 0
        assert everything(other) == everything(store)
        # And back, where it came from.
        before = everything(store)
        assert store.restore(list(other.dump()), force=True).result() == 0
        assert everything(store) == before
        again = store.put_ratings([("v", "1", 2.0, 5), None], key="key", digest=b"\x00\xff")
        assert again.result().replayed

    def test_life_goes_on_after_it(self, store, other):
        fill(other)
        version = other.version()
        store.restore(other.dump()).result()
        assert store.put_rating("u", "10", 3.0, 9).result().version == version + 1
        assert store.rating_count() == other.rating_count() + 1

    def test_an_empty_store_goes_out_and_in(self, store, other):
        parts = list(store.dump())
        assert [name for name, _ in parts] == ["progress"]
        fill(other)
        other.restore(parts, force=True).result()
        assert other.counts().ratings == other.counts().users == 0
        assert other.version() > 0  # what was given out is not given out again

    def test_what_is_there_is_not_lost_by_mistake(self, store, other):
        fill(store)
        before = everything(store)
        with pytest.raises(StoreNotEmpty, match="5 users and 2 movies"):
            store.restore(other.dump()).result()
        assert everything(store) == before

    def test_all_or_nothing(self, store, other):
        fill(store)
        before = everything(store)

        def broken():
            for name, frame in other.dump():
                yield name, frame
                if name == "ratings":
                    raise ZeroDivisionError

        fill(other, "other")
        with pytest.raises(ZeroDivisionError):
            store.restore(broken(), force=True).result()
        assert everything(store) == before
        store.put_rating("u", "10", 3.0, 9).result()

    def test_what_goes_out_is_of_one_moment(self, store):
        fill(store)
        parts = store.dump()
        first = next(parts)
        version = store.version()
        store.put_rating("late", "1", 3.0, 9).result()
        rest = dict([first, *parts])
        assert rest["progress"]["version"].to_list() == [version]
        assert "late" not in rest["users"]["user_id"].to_list()
        assert "late" not in rest["ratings"]["user_id"].to_list()
        assert set(rest) <= set(table_names())

    def test_who_was_erased_stays_erased(self, store, other):
        """With an older dump of the same store."""
        fill(store)
        store.put_job("report", {"errors": [{"value": "w"}]}).result()
        old = list(store.dump())
        erasure = store.erase_user("w").result()
        assert store.restore(old, force=True).result() == 1
        assert store.user("w") is None
        assert store.changes_of("w", 0) == []
        assert store.rating_count() == store.snapshot().ratings.height
        assert store.erasures_since(0) == [erasure]
        assert store.remains(erasure) == 0
        assert store.version() == erasure.version
        assert store.job("report") == {"errors": [{"value": "(erased)"}]}
        assert store.get_fact("erasure_salt")

    def test_an_erasure_holds_against_a_dump_with_another_salt(self, store, other):
        fill(other)
        other.erase_user("v").result()
        fill(store)
        erasure = store.erase_user("w").result()
        nobody = store.erase_user("x").result()
        other.put_user(User("y")).result()
        assert store.restore(other.dump(), force=True).result() == 2
        assert store.user("w") is store.user("v") is store.user("x") is None
        salt = store.get_fact("erasure_salt")
        assert salt == other.get_fact("erasure_salt")
        kept = {one.receipt: one for one in store.erasures_since(0)}
        assert kept[erasure.receipt].digest == digest_of(salt, "w")
        assert kept[nobody.receipt].digest == digest_of(salt, "x")
        assert len(kept) == len({one.version for one in kept.values()}) == 3
        assert store.version() >= max(one.version for one in kept.values())
