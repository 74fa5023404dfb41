from __future__ import annotations

import pytest

from app.limits import LIMITS
from app.store import Movie, open_store
from tests.contracts.store_many_contract import StoreManyContract


class TestSqliteMany(StoreManyContract):
    @pytest.fixture
    def store(self, tmp_path):
        with open_store(None, tmp_path) as store:
            yield store


def test_a_key_is_forgotten_after_a_day(tmp_path, monkeypatch):
    with open_store(None, tmp_path) as store:
        store.put_movie(Movie("m1", "One")).result()
        rows = [("u", "m1", 4.0, 1)]
        assert not store.put_ratings(rows, key="k", digest=b"1").result().replayed
        now = __import__("time").time()
        monkeypatch.setattr("app.store.answers.time.time", lambda: now + LIMITS.idempotency_seconds)
        assert not store.put_ratings(rows, key="k", digest=b"2").result().replayed


def test_only_so_many_keys_are_kept_and_none_in_clear(tmp_path, monkeypatch):
    import sqlite3
    from dataclasses import replace

    monkeypatch.setattr("app.store.answers.LIMITS", replace(LIMITS, idempotency_keys=3))
    with open_store(None, tmp_path) as store:
        store.put_movie(Movie("m1", "One")).result()
        for n in range(9):
            store.put_ratings([("somebody", "m1", 4.0, 1)], key=f"of-somebody-{n}").result()
        with sqlite3.connect(tmp_path / "projectionist.sqlite") as database:
            kept = database.execute("SELECT * FROM answers").fetchall()
        assert len(kept) == 3
        assert "somebody" not in repr(kept)
