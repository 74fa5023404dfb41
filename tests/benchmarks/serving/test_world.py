"""The data directory that is served: the very model, in the service's own words."""

import json
from contextlib import ExitStack

import numpy as np
import pytest

from app.store import open_store
from benchmarks.serving.asked import call, path_of, start_service
from benchmarks.serving.servers import two_cores
from benchmarks.serving.world import World, as_text, strangers, write_data_directory
from benchmarks.serving.wrk import Request
from recommender import Ratings
from recommender.training import recipe_for

USERS, ITEMS, STORED = 120, 40, 30


@pytest.fixture(scope="module")
def world():
    draws = np.random.default_rng(0)
    dense = draws.random((USERS, ITEMS)) < 0.3
    dense[:, 0] = dense[0] = True
    users, items = np.nonzero(dense)
    stars = draws.integers(1, 11, len(users)) / 2
    ratings = Ratings.from_arrays(users, items, stars, np.arange(len(users)) + 10**9)
    return World(ratings, recipe_for(ratings))


@pytest.fixture(scope="module")
def served(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return folder, write_data_directory(world, folder, STORED)


def test_ids_become_text_and_no_row_moves(world):
    text = as_text(world.ratings)
    assert text.users.id(0) == "001"
    assert text.users.id(USERS - 1) == "120"
    assert text.items.id(9) == "10"
    assert list(text.users.ids) == sorted(text.users.ids)
    assert text.of_user(7)[0] is not None
    assert (text.indices == world.ratings.indices).all()


def test_what_is_stored_is_what_the_model_has_seen(world, served):
    folder, description = served
    with open_store(None, folder) as store:
        counts = store.counts()
        assert (counts.users, counts.movies) == (STORED, ITEMS)
        assert counts.ratings == description.stored_ratings == world.ratings.indptr[STORED]
        rows, stars = world.ratings.of_user(4)
        stored = {one.movie_id: one.rating for one in store.ratings_of("005", None, 500)}
        assert stored == {f"{row + 1:02}": star for row, star in zip(rows, stars, strict=True)}
        first = store.all_movies()[0]
        assert first.title
        assert first.year
        assert 1 <= len(first.genres) <= 4


def test_the_service_takes_the_model_up_and_counts_nothing_as_fresh(world, served, tmp_path):
    cores = two_cores()
    if isinstance(cores, str):
        pytest.skip(cores)
    folder, _ = served
    (tmp_path / "data").symlink_to(folder)
    with ExitStack() as stack:
        port = start_service(stack, tmp_path, cores)
        for row in (0, STORED, USERS - 1):  # stored or not
            status, answer = call(port, Request(path_of(f"{row + 1:03}")))
            assert status == 200
            body = json.loads(answer)
            assert body["model"]["fresh_ratings"] == 0
            ids, scores = world.ranking.recommend(row, 10)
            assert [one["movie_id"] for one in body["movies"]] == [f"{i + 1:02}" for i in ids]
            assert [one["score"] for one in body["movies"]] == pytest.approx(scores, abs=1e-6)
            assert all(one["title"] and one["predicted_rating"] for one in body["movies"])


def test_strangers_rate_different_movies(world):
    for rows, stars in strangers(world.ranking)[:20]:
        assert len(np.unique(rows)) == len(rows) == len(stars) == ITEMS
        assert set(stars * 2) <= set(range(1, 11))
