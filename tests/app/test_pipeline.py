"""The pipeline where lists are long, filtered, or of movies without a vector."""

from __future__ import annotations

import numpy as np
import pytest

from app.movie_attributes import attributes_of
from app.serving import newcomers
from app.serving.pipeline import LARGEST_POOL, LEAST_POOL, POOL, pool_size
from recommender.models.item_vector import ItemVector
from tests.app.test_newcomers import add, line_of, rate
from tests.app.test_recommendations import ask, ids


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (1, LEAST_POOL),
        (10, POOL * 10),
        (20, POOL * 20),
        (100, POOL * 100),
        (101, LARGEST_POOL),
        (500, LARGEST_POOL),
    ],
)
def test_reranking_chooses_among_ten_times_as_many_within_limits(n, expected):
    assert pool_size(n) == expected


class TestAMovieWithoutAVector:
    @pytest.fixture(autouse=True)
    def bare(self, client):
        add(client, "bare")

    def test_is_not_counted_because_a_filter_lets_it_through(self, client):
        everything = 'not "Horror" in genres'
        answer = ask(client, "u00", n=500, filter=everything)
        assert answer["movies"] == ask(client, "u00", n=500)["movies"]
        assert answer["matched"] == len(answer["movies"]) == 15
        assert answer["next_cursor"] is None
        popular = ask(client, "nobody", n=500, filter=everything)
        assert popular["matched"] == len(popular["movies"]) == 25
        assert "bare" in ids(popular)

    def test_leaves_who_rated_it_as_the_training_left_them(self, client):
        """The model learns nothing from it, so nobody is folded in for it."""
        before = client.get("/v1/users/u00/trace").json()
        rate(client, "u00", "bare", 5)
        after = client.get("/v1/users/u00/trace").json()
        assert after["identified"] == before["identified"]
        assert after["identified"]["as"] == "trained"
        assert after["movies"] == before["movies"]

    @pytest.mark.parametrize("many", [1, 1_000])
    def test_is_in_no_list_however_many_newcomers_there_are(self, client, monkeypatch, many):
        monkeypatch.setattr(newcomers, "_MANY", many)
        add(client, "new", ["Kids"])
        serving = client.rooms.current.take()
        assert (serving.newcomers.order is not None) is (many == 1)
        for user in ("u00", "u01"):
            listed = ids(ask(client, user, n=500))
            assert "new" in listed
            assert "bare" not in listed


def test_a_newcomer_whose_rating_was_taken_back_is_shown_again(client):
    add(client, "new", ["Kids"])
    for user in ("u00", "nobody"):
        before = ask(client, user, n=500)
        rate(client, user, "new", 5)
        assert "new" not in ids(ask(client, user, n=500))
        assert client.delete(f"/v1/users/{user}/ratings/new").status_code == 200
        assert ask(client, user, n=500) == before


def test_the_stars_of_a_newcomer_are_folded_in_around_its_attributes(client, world):
    """Each of the two models by its own vector, which stand one behind the other."""
    add(client, "new", ["Kids"])
    raters = world.users[:3]
    for user in raters:
        rate(client, user, "new", 2)
    serving = client.rooms.current.take()
    generation = serving.generation
    described = attributes_of([serving.shelf.movies[24]])
    for model, learned, name in (
        (generation.ranking, generation.attributes.ranking, "score"),
        (generation.stars, generation.attributes.stars, "predicted_rating"),
    ):
        around = learned.predict(described)[0]
        solved = model.fold_in_item(
            raters, [2.0] * 3, ItemVector(around[: model.n_factors], float(around[-1]))
        )
        for user in world.users[10:14]:
            row = model.user_row(user)
            expected = model.global_bias + solved.bias
            expected += 0 if model.user_biases is None else model.user_biases[row]
            expected += float(np.dot(model.user_factors[row], solved.vector))
            assert line_of(client, user, "new")[name] == pytest.approx(expected, abs=6e-3)


def test_reasons_may_be_asked_for_by_name_in_a_body(client):
    body = {"ratings": [{"movie_id": "m01", "rating": 5}], "fields": ["because"], "n": 1}
    (line,) = client.post("/v1/recommendations", json=body).json()["movies"]
    assert [reason["movie_id"] for reason in line["because"]] == ["m01"]
