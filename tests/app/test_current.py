"""A swap takes along what happened while the other generation was made."""

from __future__ import annotations

import numpy as np
import pytest

from app.serving.current import Serving
from app.serving.fresh_ratings import FreshRatings
from tests.app.test_newcomers import add, rate
from tests.app.test_recommendations import ask, ids


@pytest.fixture
def current(client):
    return client.rooms.current


@pytest.fixture
def swap(client, current):
    """Make another holder of the same generation now; return what takes it up, whenever called."""
    before = current.take()
    fresh = FreshRatings(before.fresh.watermark, before.generation.ranking.items)
    fresh.merge(before.fresh)
    made = Serving.of(before.generation, fresh, current.catalogue)
    revision = current.catalogue.revision

    async def taken_up():
        current.swap(made, revision)

    return lambda: client.call(taken_up())


def test_a_rating_that_came_meanwhile_is_known(client, swap):
    rate(client, "u00", "m01", 5)
    before = ask(client, "u00", n=500)
    swap()
    assert ask(client, "u00", n=500) == before
    assert before["model"]["fresh_ratings"] == 1


def test_a_movie_that_came_meanwhile_is_known(client, swap):
    add(client, "new", ["Kids"])
    assert "new" in ids(ask(client, "u00", n=500))  # the old one has it; no more is to be lined up
    swap()
    assert "new" in ids(ask(client, "u00", n=500))


def test_a_movie_that_went_meanwhile_is_gone(client, swap):
    assert client.delete("/v1/movies/m01").status_code == 204
    popular = client.get("/v1/movies/popular", params={"n": 500}).json()
    assert "m01" not in ids(popular)
    swap()
    assert client.get("/v1/movies/popular", params={"n": 500}).json() == popular


class TestOfANewcomer:
    """It is there when the other one is made, so that nothing but its ratings is news."""

    @pytest.fixture(autouse=True)
    def newcomer(self, client):
        add(client, "new", ["Kids"])

    def test_ratings_that_came_meanwhile_move_it(self, client, world, current, swap):
        begun = current.take().vectors(np.array([24]))
        for user in world.users[:6]:
            rate(client, user, "new", 5)
        moved = current.take().vectors(np.array([24]))
        assert not np.allclose(moved, begun)
        swap()
        assert current.take().vectors(np.array([24])) == pytest.approx(moved, abs=1e-6)
