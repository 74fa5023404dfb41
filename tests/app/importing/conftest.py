from __future__ import annotations

import pytest

from app.importing.running import Import, Wanted
from app.store import open_store
from recommender.data.rating_scale import RatingScale


@pytest.fixture
def store(tmp_path):
    with open_store(None, tmp_path / "var") as store:
        yield store


@pytest.fixture
def importing(store):
    """Import a file; return the document."""

    def run(path, mode="atomic", *, kind="ratings", form=None, dry_run=False, job="j", scale=None):
        wanted = Wanted(mode, kind, form, dry_run)
        scale = scale or RatingScale()
        return Import(store, path, path.name, wanted, scale, job).run()

    return run
