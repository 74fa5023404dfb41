"""What every test may ask for, and what a skip means."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

# No deadline: the first example of a test may be the one that compiles a kernel. In CI the
# examples are the same each time, so that a red run can be run again; half as many, so that all
# tests together stay within their minutes.
hypothesis.settings.register_profile(
    "projectionist",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    max_examples=50 if os.environ.get("REQUIRE_ALL") == "1" else 100,
    print_blob=True,
)
hypothesis.settings.load_profile("projectionist")

# Their asserts should explain themselves, although they stand in no test file.
pytest.register_assert_rewrite("tests.contracts")

ROOT = Path(__file__).resolve().parent.parent

REQUIRE_ALL = os.environ.get("REQUIRE_ALL") == "1"


def _as_failure(report):
    """With REQUIRE_ALL=1, not having run is not having passed."""
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL=1 and this could not run: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    _as_failure(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    _as_failure(report)
    return report


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    """What the developer has set for a server of his own is nothing to the tests."""
    for name in list(os.environ):
        if name.startswith("PROJECTIONIST_") and not name.startswith("PROJECTIONIST_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def movielens_small() -> Path:
    """The folder or archive of ml-latest-small: real ratings, never part of this repository."""
    places = (
        ROOT.parent / "shared" / "data" / "ml-latest-small",
        Path.home() / ".cache" / "projectionist" / "ml-latest-small.zip",
    )
    for place in places:
        if place.exists():
            return place
    pytest.skip("ml-latest-small is not here; `projectionist download ml-latest-small` fetches it")
