"""Ids: what is refused at write, and that all else can be reached."""

from __future__ import annotations

from urllib.parse import quote

import pytest


@pytest.fixture
def client(shared_client):
    return shared_client


def assert_problem(response, status=None, field=None):
    assert 400 <= response.status_code < 500, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert len(response.content) <= 4096
    assert status in {None, response.status_code}, response.text
    assert field in {None, *(error["field"] for error in response.json().get("errors", []))}


BAD_PATHS = [
    "%20a",
    "a%E2%80%A8",
    "%00",
    "%0A",
    "%1F",
    "%7F",
    "%C2%85",
    "%FF",
    "%C3%28",
    "%ED%A0%80",
    "x" * 129,
]


@pytest.mark.parametrize("segment", BAD_PATHS)
@pytest.mark.parametrize(
    "path",
    [
        "/v1/users/{}",
        "/v1/users/{}/recommendations",
        "/v1/users/{}/ratings",
        "/v1/users/{}/similar",
        "/v1/movies/{}",
        "/v1/movies/{}/similar",
    ],
)
def test_ids_that_are_none(client, path, segment):
    assert_problem(client.get(path.format(segment)))


@pytest.mark.parametrize("segment", [*BAD_PATHS, "popular"])
def test_ids_that_cannot_be_written(client, segment):
    before = client.rooms.store.counts()
    assert_problem(client.put(f"/v1/movies/{segment}", json={"title": "a"}))
    if segment != "popular":
        assert_problem(client.put(f"/v1/users/{segment}/ratings/m01", json={"rating": 5}))
    assert client.rooms.store.counts() == before


@pytest.mark.parametrize(
    "movie_id", [".", "..", "popular", "", "a\x00", "x" * 129, "\x85", " a", "a\u3000"]
)
def test_ids_in_bodies_that_cannot_be_stored(client, movie_id):
    row = {"user_id": "u", "movie_id": movie_id, "rating": 5}
    assert_problem(client.post("/v1/ratings", json=[row]), 422, "body[0].movie_id")
    if movie_id != "popular":
        row = {"user_id": movie_id, "movie_id": "m01", "rating": 5}
        assert_problem(client.post("/v1/ratings", json=[row]), 422, "body[0].user_id")


REACHABLE = [
    "AC/DC",
    "a b",
    "100%",
    "a?b",
    "a#b",
    "ä",
    "日本",
    "%2F",
    "a/../b",
    "x" * 128,
    "a+b",
    "/",
]


@pytest.mark.parametrize("identity", [*REACHABLE, ":", "~", "&", '"', "a\u2028b", "👾", "e\u0301"])
def test_an_id_that_is_accepted_can_be_reached(client, identity):
    path = quote(identity, safe="")
    created = client.put(f"/v1/movies/{path}", json={"title": "Odd"})
    assert created.status_code == 201
    assert created.json()["movie_id"] == identity
    assert client.get(f"/v1/movies/{path}").json()["movie_id"] == identity
    rated = client.put(f"/v1/users/{path}/ratings/{path}", json={"rating": 5})
    assert (rated.json()["user_id"], rated.json()["movie_id"]) == (identity, identity)
    assert client.get(f"/v1/users/{path}").json()["user_id"] == identity
    assert client.get(f"/v1/users/{path}/ratings").json()["ratings"][0]["movie_id"] == identity
    assert client.get(f"/v1/users/{path}/recommendations").json()["user_id"] == identity
    row = {"user_id": identity, "movie_id": identity, "rating": 4}
    assert client.post("/v1/ratings", json=[row]).status_code == 200
    assert client.delete(f"/v1/users/{path}/ratings/{path}").status_code == 200
    assert client.delete(f"/v1/movies/{path}").status_code == 204
