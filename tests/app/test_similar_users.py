"""Neighbours of a user: against a naive twin, as they are now, and never somebody erased."""

from __future__ import annotations

import contextlib
import sqlite3

import numpy as np
import pytest

from app.api.schemas.users import SimilarUsers
from recommender.generations import load_generation
from tests.app.test_bad_input import assert_problem
from tests.app.test_newcomers import rate


def similar(client, user, **params):
    response = client.get(f"/v1/users/{user}/similar", params=params)
    assert response.status_code == 200, response.text
    SimilarUsers.model_validate(response.json())
    return response.json()


def users(answer):
    return [line["user_id"] for line in answer["users"]]


@pytest.fixture
def factors(data_dir):
    return load_generation(data_dir / "models").ranking.user_factors.astype(float)


def naive(world, factors, vector, by, without):
    """Every user's product or cosine with a vector, one at a time."""
    scores = {}
    for user, own in zip(world.users, factors, strict=True):
        product = sum(a * b for a, b in zip(own, vector, strict=True))
        length = np.sqrt(sum(own**2)) * np.sqrt(sum(vector**2)) if by == "cosine" else 1.0
        scores[user] = float(product / length)
    others = (user for user in world.users if user not in without)
    return sorted(others, key=lambda user: (-scores[user], user)), scores


@pytest.mark.parametrize("by", ["cosine", "dot"])
def test_they_are_the_full_sort(client, world, factors, by):
    for number in (0, 7, 39):
        user = world.users[number]
        order, scores = naive(world, factors, factors[number], by, {user})
        answer = similar(client, user, n=500, by=by)
        # Of nearly equal cosines float32 may see which is larger, or not.
        found = [scores[other] for other in users(answer)]
        assert found == pytest.approx([scores[other] for other in order], abs=1e-6)
        assert [line["score"] for line in answer["users"]] == pytest.approx(found, abs=2e-6)
        assert sorted(users(answer)) == sorted(order)
        assert similar(client, user, n=3, by=by)["users"] == answer["users"][:3]
        assert answer["user_id"] == user
        for line in answer["users"]:
            assert line["n_ratings"] == len(world.seen(line["user_id"]))


def test_they_are_of_the_same_taste_and_cosine_is_the_default(client, world):
    answer = similar(client, "u05")
    assert len(answer["users"]) == 10
    assert {world.taste(user) for user in users(answer)} == {1}
    assert answer == similar(client, "u05", by="cosine", n=10)
    assert answer["model"]["fresh_ratings"] == 0


def test_whoever_changes_taste_has_other_neighbours_at_once(client, world, data_dir):
    for movie in world.movies:
        rate(client, "u05", movie, 1 if world.taste(movie) else 5)
    answer = similar(client, "u05", n=10)
    assert {world.taste(user) for user in users(answer)} == {0}
    assert "u05" not in users(similar(client, "u05", n=500))
    assert answer["model"]["fresh_ratings"] == 24


def test_somebody_new_has_neighbours_from_the_first_rating_on(client, world, factors, data_dir):
    rate(client, "new", "m01", 5)
    vector = load_generation(data_dir / "models").ranking.fold_in(["m01"], [5.0]).vector
    order, scores = naive(world, factors, vector.astype(float), "dot", set())
    answer = similar(client, "new", by="dot", n=500)
    assert len(answer["users"]) == 40
    assert [line["score"] for line in answer["users"]] == pytest.approx(
        [scores[user] for user in order], abs=2e-6
    )
    assert {world.taste(user) for user in users(answer)[:20]} == {1}


def test_who_is_not_known_is_a_problem_and_who_rated_nothing_that_counts_has_none(client):
    body = assert_problem(client.get("/v1/users/nobody/similar"), 404)
    assert body["type"] == "/problems/unknown-user"
    assert_problem(client.get("/v1/users/m01/similar"), 404)
    client.put("/v1/movies/new", json={"title": "New"})
    rate(client, "late", "new", 5)
    assert similar(client, "late")["users"] == []


def erase(data_dir, user_ids):
    with contextlib.closing(sqlite3.connect(data_dir / "projectionist.sqlite")) as database:
        for user in user_ids:
            database.execute("DELETE FROM ratings WHERE user_id = ?", (user,))
            database.execute("DELETE FROM users WHERE user_id = ?", (user,))
        database.commit()


@pytest.mark.parametrize("n_erased", [1, 12, 38])
@pytest.mark.parametrize("n", [1, 5, 500])
def test_who_was_erased_since_the_training_does_not_appear(client, data_dir, n_erased, n):
    with_all = similar(client, "u00", n=500)["users"]
    erased = [line["user_id"] for line in with_all[:n_erased]]
    erase(data_dir, erased)
    assert similar(client, "u00", n=n)["users"] == with_all[n_erased:][:n]
    # Whom the model alone remembers can still be asked about, by whoever knows the id.
    assert erased[0] not in users(similar(client, erased[0], n=1))


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"n": "0"}, "query.n"),
        ({"n": "501"}, "query.n"),
        ({"n": "1000000000"}, "query.n"),
        ({"n": "ten"}, "query.n"),
        ({"by": "cAnArY7"}, "query.by"),
        ({"filter": "year > 1990"}, "query"),
    ],
)
def test_bad_input(client, params, field):
    assert_problem(client.get("/v1/users/u00/similar", params=params), 422, field)


def test_a_client_that_has_it_is_not_sent_it_again(client):
    path = "/v1/users/u00/similar"
    tag = client.get(path).headers["etag"]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    rate(client, "u00", "m01", 5)
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_min_version_is_honoured(client):
    response = client.get("/v1/users/u00/similar", headers={"Min-Version": str(10**9)})
    assert response.status_code == 503


def test_the_example_is_one():
    SimilarUsers.model_validate(SimilarUsers.model_config["json_schema_extra"]["examples"][0])
