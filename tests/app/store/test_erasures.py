from __future__ import annotations

import sqlite3
from functools import partial

import pytest

from app.store import Movie, StoreReadOnly, open_store
from tests.contracts.store_erasure_contract import StoreErasureContract


class TestSqliteErasures(StoreErasureContract):
    @pytest.fixture
    def reopen(self, tmp_path):
        return partial(open_store, None, tmp_path)


USER = "somebody-with-a-long-name"


def _fill(store, users=2_000):
    store.put_movie(Movie("1", "One")).result()
    store.put_movie(Movie("2", "Two")).result()
    for movie in "12":  # pages are split by the second round, and cells moved
        waiting = [store.put_rating(f"user {i}", movie, 4, 0) for i in range(users)]
        waiting += [store.put_rating(USER, movie, 4, 0)]
        [each.result() for each in waiting]


def _copies(directory):
    return {
        path.name: found
        for path in directory.iterdir()
        if (found := path.read_bytes().count(USER.encode()))
    }


def test_no_file_of_the_database_keeps_a_copy(tmp_path):
    with open_store(None, tmp_path) as store:
        _fill(store)
        assert _copies(tmp_path)
        store.erase_user(USER).result()
        store.put_rating("next", "1", 4, 0).result()  # behind the checkpoint
        assert _copies(tmp_path) == {}
    assert _copies(tmp_path) == {}


def test_behind_a_reader_the_log_is_cut_as_soon_as_it_is_gone(tmp_path):
    with open_store(None, tmp_path) as store:
        _fill(store, users=20)
        reader = sqlite3.connect(f"file:{tmp_path}/projectionist.sqlite?mode=ro", uri=True)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM ratings").fetchone()
        store.erase_user(USER).result()
        store.put_rating("next", "1", 4, 0).result()
        assert _copies(tmp_path)  # what the reader may still ask for
        reader.close()
        store.put_rating("next", "2", 4, 0).result()
        store.put_rating("next", "2", 3, 0).result()
        assert _copies(tmp_path) == {}


def test_a_reader_erases_nobody(tmp_path):
    with open_store(None, tmp_path) as store:
        _fill(store, users=1)
    with (
        open_store(None, tmp_path, read_only=True) as store,
        pytest.raises(StoreReadOnly),
    ):
        store.erase_user(USER).result()
