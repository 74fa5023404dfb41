"""Headers about stored versions: honoured or refused, never ignored."""

from __future__ import annotations

import pytest

LISTS = [
    "/v1/users/u00/recommendations",
    "/v1/users/u00/ratings",
    "/v1/users/u00",
    "/v1/users",
    "/v1/movies",
    "/v1/movies/m01",
    "/v1/movies/popular",
    "/v1/movies/m01/similar",
]


@pytest.mark.parametrize("path", LISTS)
def test_a_version_that_is_stored_is_served_and_a_later_one_is_waited_for(client, path):
    version = client.put("/v1/users/u00/ratings/m01", json={"rating": 5}).json()["version"]
    assert client.get(path, headers={"Min-Version": str(version)}).status_code == 200
    later = client.get(path, headers={"Min-Version": str(version + 1)})
    assert (later.status_code, later.json()["type"]) == (503, "/problems/version-not-reached")
    assert int(later.headers["retry-after"]) >= 1


def test_a_list_knows_the_version_that_it_was_asked_for(client):
    """Also when somebody else stored it, and the loader has not looked since."""
    store = client.rooms.store
    record = store.put_rating("u00", "m01", 5.0, 0).result()
    path = "/v1/users/u00/recommendations"
    assert client.get(path).json()["model"]["fresh_ratings"] == 0
    answer = client.get(path, headers={"Min-Version": str(record.version)}).json()
    assert answer["model"]["fresh_ratings"] == 1


@pytest.mark.parametrize("version", ["", "-1", "1.0", "0x1", "one", "1" * 30, " 1_0"])
def test_a_version_is_a_whole_number(client, version):
    response = client.get("/v1/users", headers={"Min-Version": version})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "header.Min-Version"
