from __future__ import annotations

from functools import partial

import pytest

from app.store import StoreReadOnly, open_store
from tests.contracts.store_whole_contract import StoreWholeContract, everything, fill


class TestSqliteWhole(StoreWholeContract):
    @pytest.fixture
    def reopen(self, tmp_path):
        return partial(open_store, None, tmp_path)


class TestPostgresWhole(StoreWholeContract):
    @pytest.fixture
    def reopen(self, postgres_url):
        return partial(open_store, postgres_url, "unused")


def test_a_reader_gives_out_and_takes_nothing_in(tmp_path):
    with open_store(None, tmp_path) as store:
        fill(store)
        told = everything(store)
    with open_store(None, tmp_path, read_only=True) as store:
        assert {name for name, _ in store.dump()} >= {"users", "ratings", "answers", "jobs"}
        with pytest.raises(StoreReadOnly):
            store.restore([], force=True).result()
        assert everything(store) == told
