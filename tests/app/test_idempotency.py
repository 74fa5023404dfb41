"""A key makes a request that is sent twice count once."""

from __future__ import annotations

import json
import threading

import pytest

from app.api.schemas.ratings import BulkResults

ROWS = [
    {"user_id": "u00", "movie_id": "m01", "rating": 5},
    {"user_id": "u00", "movie_id": "nope", "rating": 5},
    {"user_id": "u00", "movie_id": "m03", "rating": 5.3},
    {"user_id": "u01", "movie_id": "m03", "rating": 0.5},
]


def send(client, rows=ROWS, key="key-1", body=None):
    content = json.dumps(rows) if body is None else body
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    return client.post("/v1/ratings", content=content, headers=headers)


def test_the_same_key_and_body_give_the_same_bytes_and_store_nothing(client):
    first = send(client)
    assert first.status_code == 200
    assert "Idempotency-Replayed" not in first.headers
    BulkResults.model_validate(first.json())
    assert [row["status"] for row in first.json()["results"]] == [200, 404, 422, 200]
    client.put("/v1/users/u00/ratings/m01", json={"rating": 1})
    version = client.rooms.store.version()
    again = send(client)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert client.rooms.store.version() == version
    assert client.rooms.store.ratings_of("u00", None, 500)[1].movie_id
    listed = client.get("/v1/users/u00/ratings?limit=500").json()["ratings"]
    assert {line["movie_id"]: line["rating"] for line in listed}["m01"] == 1.0


def test_another_body_under_the_same_key_is_refused(client):
    send(client)
    version = client.rooms.store.version()
    # A space is another body: the bytes count.
    for body in (json.dumps(ROWS[:1]), json.dumps(ROWS) + " "):
        response = send(client, body=body)
        assert response.status_code == 422
        assert response.json()["type"] == "/problems/idempotency-key-reused"
    assert client.rooms.store.version() == version


def test_a_request_of_which_nothing_was_stored_is_replayed_too(client):
    first = send(client, ROWS[1:3])
    again = send(client, ROWS[1:3])
    assert (first.status_code, again.status_code) == (422, 422)
    assert first.content == again.content


@pytest.mark.parametrize("key", ["", "a b", "\x7f", "k" * 256, "caf\u00e9".encode("latin-1")])
def test_a_key_is_short_visible_text(client, key):
    response = send(client, key=None)
    response = client.post("/v1/ratings", json=ROWS, headers={"Idempotency-Key": key})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "header.Idempotency-Key"


def test_without_a_key_nothing_is_replayed(client):
    assert send(client, key=None).headers.get("Idempotency-Replayed") is None
    assert send(client, key=None).headers.get("Idempotency-Replayed") is None
    assert send(client, key="k" * 255).status_code == 200


def test_two_at_once_store_once(client):
    before = client.rooms.store.version()
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(send(client))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.content for answer in answers}) == 1
    assert client.rooms.store.version() == before + 2


def test_a_key_outlives_the_server(start):
    first = start()
    answer = send(first)
    first.close()
    again = send(start())
    assert (again.content, again.headers["Idempotency-Replayed"]) == (answer.content, "true")
