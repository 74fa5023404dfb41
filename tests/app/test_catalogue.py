"""The catalogue: listed, searched, edited, deleted."""

from __future__ import annotations

import pytest

from app.store import StoreUnavailable


class TestCatalogue:
    def test_search(self, client):
        answer = client.get("/v1/movies", params={"q": "film m0"}).json()
        assert {movie["movie_id"] for movie in answer["movies"]} == {f"m0{i}" for i in range(10)}
        assert answer["next_cursor"] is None

    @pytest.mark.parametrize(
        ("path", "name", "total"), [("movies", "movie_id", 24), ("users", "user_id", 40)]
    )
    def test_pages_are_whole_and_do_not_repeat(self, client, path, name, total):
        found, cursor = [], None
        while True:
            params = {"limit": 7} | ({"cursor": cursor} if cursor else {})
            page = client.get(f"/v1/{path}", params=params).json()
            found += [record[name] for record in page[path]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
            assert len(page[path]) == 7
        assert len(found) == len(set(found)) == total

    def test_put_get_delete(self, client):
        body = {"title": "Amélie", "year": 2001, "genres": ["Comedy"], "attributes": {"a": [1]}}
        created = client.put("/v1/movies/amelie", json=body)
        assert created.status_code == 201
        expected = {"movie_id": "amelie", "available": True, **body}
        assert created.json() == expected
        assert client.get("/v1/movies/amelie").json() == expected
        assert client.put("/v1/movies/amelie", json={"title": "A"}).status_code == 200
        assert client.get("/v1/movies/amelie").json()["year"] is None
        assert client.delete("/v1/movies/amelie").status_code == 204
        assert client.get("/v1/movies/amelie").status_code == 404
        assert client.delete("/v1/movies/amelie").status_code == 404

    def test_users_are_found_by_the_beginning_of_their_id(self, client, world):
        answer = client.get("/v1/users", params={"q": "u1"}).json()
        assert [user["user_id"] for user in answer["users"]] == [f"u1{i}" for i in range(10)]
        assert answer["users"][0]["n_ratings"] == 9


def test_a_deletion_that_is_durable_is_told_as_one(client, world, monkeypatch):
    """Also when the ratings that went with it cannot be read just then."""
    store = client.rooms.store

    def fail(*_):
        raise StoreUnavailable("The disk is away.")

    with monkeypatch.context() as broken:
        broken.setattr(store, "changes_since", fail)
        assert client.delete("/v1/movies/m02").status_code == 204
    assert store.movie("m02") is None
    assert client.get("/v1/movies/m02").status_code == 404
    client.look()
    fan = next(user for user in world.users if "m02" in world.seen(user))
    model = client.get(f"/v1/users/{fan}/recommendations").json()["model"]
    assert model["fresh_ratings"] == 1
