from __future__ import annotations

import shutil
import tempfile
from functools import partial

import pytest
from hypothesis import HealthCheck, settings

from app.store import open_store
from tests.contracts.store_contract import StoreContract
from tests.contracts.store_import_contract import StoreImportContract
from tests.contracts.store_machine import StoreMachine


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def reopen(self, tmp_path):
        return partial(open_store, None, tmp_path)


class TestSqliteImport(StoreImportContract):
    @pytest.fixture
    def store(self, tmp_path):
        with open_store(None, tmp_path) as store:
            yield store


class SqliteMachine(StoreMachine):
    def __init__(self):
        self.directory = tempfile.mkdtemp()
        super().__init__()

    def open_again(self):
        return open_store(None, self.directory)

    def teardown(self):
        super().teardown()
        shutil.rmtree(self.directory)


TestSqliteLives = SqliteMachine.TestCase
TestSqliteLives.settings = settings(
    max_examples=50,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
