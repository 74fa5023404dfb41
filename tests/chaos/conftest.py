"""The planted world of the application's tests, and how often to kill."""

from __future__ import annotations

import os
import sys

import pytest

from tests.app.conftest import data_dir, no_settings, trained_dir, world

__all__ = ["data_dir", "no_settings", "trained_dir", "world"]


@pytest.fixture
def kills() -> int:
    """Return how often a process is killed: few times in every run of the tests."""
    return int(os.environ.get("PROJECTIONIST_TEST_KILLS", "10"))


@pytest.fixture
def seed() -> int:
    """Return what the chances of this run are drawn from; printed, so that it can be repeated."""
    seed = int(os.environ.get("PROJECTIONIST_TEST_SEED", "20261124"))
    sys.stdout.write(f"PROJECTIONIST_TEST_SEED={seed}\n")  # shown when a test fails
    return seed
