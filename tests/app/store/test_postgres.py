"""The contracts of a store, on a real PostgreSQL server."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import HealthCheck, settings

from app.store import open_store
from tests.contracts.store_contract import StoreContract
from tests.contracts.store_erasure_contract import StoreErasureContract
from tests.contracts.store_import_contract import StoreImportContract
from tests.contracts.store_machine import StoreMachine
from tests.contracts.store_many_contract import StoreManyContract


class TestPostgresStore(StoreContract):
    @pytest.fixture
    def reopen(self, postgres_url):
        return partial(open_store, postgres_url, "unused")


class TestPostgresErasures(StoreErasureContract):
    @pytest.fixture
    def reopen(self, postgres_url):
        return partial(open_store, postgres_url, "unused")


class TestPostgresImport(StoreImportContract, StoreManyContract):
    @pytest.fixture
    def store(self, postgres_url):
        with open_store(postgres_url, "unused") as store:
            yield store


@pytest.fixture(scope="module", autouse=True)
def _server_of_the_machine(postgres):
    PostgresMachine.server = postgres


class PostgresMachine(StoreMachine):
    server = None

    def open_again(self):
        return open_store(self.server.socket_url("ours"), "unused")

    def teardown(self):
        super().teardown()
        self.server.empty("ours")


TestPostgresLives = PostgresMachine.TestCase
TestPostgresLives.settings = settings(
    max_examples=25,
    stateful_step_count=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
