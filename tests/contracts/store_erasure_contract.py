"""What every store must do when a user is erased."""

from __future__ import annotations

import json

import pytest

from app.store import Counts, Movie, RatingRecord, User
from app.store.erasures import SALT, digest_of


class StoreErasureContract:
    """Inherit it and give the fixture ``reopen``, as for ``StoreContract``."""

    @pytest.fixture
    def store(self, reopen):
        with reopen() as store:
            for movie in "123":
                store.put_movie(Movie(movie, movie)).result()
            for user, movie in (("u", "1"), ("u", "2"), ("v", "1"), ("u", "3")):
                store.put_rating(user, movie, 4, 100).result()
            store.delete_rating("u", "2").result()
            yield store

    def test_nothing_names_an_erased_user(self, store):
        store.put_user(User("u", {"mail": "u@example.org"})).result()
        erasure = store.erase_user("u").result()
        assert (erasure.version, erasure.ratings) == (6, 2)
        assert store.user("u") is None
        assert store.ratings_of("u", None, 9) == store.changes_of("u", 0) == []
        assert store.changes_since(0, 9) == [RatingRecord("v", "1", 4.0, 100, 3)]
        assert store.counts() == Counts(users=1, movies=3, ratings=1)
        assert store.rating_count() == store.snapshot().ratings.height == 1
        assert store.remains(erasure) == 0

    def test_an_erasure_is_a_change_that_others_can_follow(self, store):
        assert store.erasures_since(0) == []
        first = store.erase_user("u").result()
        assert store.version() == first.version == store.snapshot().watermark
        second = store.erase_user("v").result()
        assert store.erasures_since(0) == [first, second]
        assert store.erasures_since(first.version) == [second]
        assert store.erasures_since(second.version) == []
        assert store.put_rating("w", "1", 4, 0).result().version == second.version + 1

    def test_a_receipt_finds_its_erasure(self, store, reopen):
        erasure = store.erase_user("u").result()
        assert len(erasure.receipt) == 32
        assert store.erasure(erasure.receipt) == erasure
        assert store.erasure("0" * 32) is store.erasure("\x00") is None
        store.close()
        with reopen() as again:
            assert again.erasure(erasure.receipt) == erasure

    def test_the_digest_is_salted_and_the_salt_stays(self, store):
        assert store.get_fact(SALT) is None
        first = store.erase_user("u").result()
        salt = store.get_fact(SALT)
        second = store.erase_user("v").result()
        assert len(salt) == 32
        assert store.get_fact(SALT) == salt
        assert [first.digest, second.digest] == [digest_of(salt, user) for user in "uv"]

    def test_nobody_cannot_be_erased(self, store):
        assert store.erase_user("nobody").result() is None
        assert store.version() == 5
        assert store.erasures_since(0) == []
        store.erase_user("u").result()
        assert store.erase_user("u").result() is None

    def test_a_user_without_ratings_can_be_erased(self, store):
        store.put_user(User("bare")).result()
        assert store.erase_user("bare").result().ratings == 0
        assert store.user("bare") is None

    def test_who_comes_back_is_no_remainder(self, store):
        first = store.erase_user("u").result()
        store.put_rating("u", "1", 4, 100).result()
        store.put_rating("u", "2", 4, 100).result()
        store.delete_rating("u", "2").result()
        assert store.remains(first) == 0
        assert store.user("u") == User("u", {}, 1)
        second = store.erase_user("u").result()
        assert second.digest == first.digest
        assert second.receipt != first.receipt
        assert second.ratings == 1
        assert store.erasures_since(0) == [first, second]

    def test_the_reports_of_imports_forget_the_id(self, store):
        report = {"errors": [{"line": 7, "value": "ü\"'u"}, {"line": 8, "value": "other"}], "u": 1}
        store.put_job("a", report).result()
        store.put_job("b", {"errors": [], "name": "unlike"}).result()
        store.put_user(User("ü\"'u")).result()
        store.erase_user("ü\"'u").result()
        kept = store.job("a")
        assert kept["errors"] == [{"line": 7, "value": "(erased)"}, {"line": 8, "value": "other"}]
        assert "ü" not in json.dumps(kept, ensure_ascii=False)
        assert store.job("b") == {"errors": [], "name": "unlike"}

    @pytest.mark.parametrize("bad", ["", "a\nb", 7])
    def test_a_bad_id_is_refused(self, store, bad):
        from app.store import InvalidRecord

        with pytest.raises(InvalidRecord):
            store.erase_user(bad).result()
