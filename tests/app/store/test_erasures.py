from __future__ import annotations

import sqlite3
from functools import partial

import pytest

from app.store import Movie, StoreReadOnly, open_store
from tests.contracts.store_erasure_contract import StoreErasureContract
from tests.postgres import wait_until


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


def test_another_process_learns_of_it_within_a_second(data_dir, start, postgres_url):
    """Two applications on one PostgreSQL database and one models directory."""
    with open_store(None, data_dir) as store, open_store(postgres_url, "unused") as other:
        other.restore(store.dump()).result()
    here, there = (
        start(database_url=postgres_url, model_poll_seconds=0.5, data_dir=data_dir)
        for _ in range(2)
    )
    address = "/v1/users/u01/recommendations"
    here.put("/v1/users/u01/ratings/m02", json={"rating": 5})
    assert wait_until(lambda: there.get(address).json()["model"]["fresh_ratings"] == 1)
    version = here.delete("/v1/users/u01").json()["version"]
    # At once for who says which version has to be known, and soon for everybody.
    told = there.get(address, headers={"Min-Version": str(version)}).json()
    assert told["fallback"] == "popular"
    version = here.delete("/v1/users/u03").json()["version"]
    unknown = "/v1/users/u03/recommendations"
    assert wait_until(lambda: "fallback" in there.get(unknown).json(), seconds=1.0)
    assert there.rooms.current.serving.fresh.n_of_user("u01") == 0
