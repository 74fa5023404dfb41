"""Movies that are newer than the model among the neighbours of others: against a naive twin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orjson
import pytest

from app.serving.neighbours import popular
from tests.app.test_newcomers import add, rate
from tests.app.test_recommendations import ids

POPULAR = ("count", "trend")


def similar(client, movie, **params):
    response = client.get(f"/v1/movies/{movie}/similar", params={"n": 500, **params})
    assert response.status_code == 200, response.text
    return response.json()


def naive(serving, movie, by):
    """The product or cosine of every movie with one, one at a time."""
    vectors = dict(
        zip(serving.shelf.ids, serving.vectors(np.arange(len(serving.shelf.ids))), strict=True)
    )
    asked = vectors.pop(movie).astype(float)
    scores = {}
    for other, vector in vectors.items():
        product = sum(a * b for a, b in zip(asked, vector.astype(float), strict=True))
        length = np.sqrt(sum(asked**2)) * np.sqrt(sum(vector.astype(float) ** 2))
        scores[other] = product / length if by == "cosine" else product
    return scores


@pytest.mark.parametrize("by", ["cosine", "dot"])
@pytest.mark.parametrize("movie", ["m01", "new1"])
def test_newcomers_are_as_near_as_their_vectors_are(client, world, by, movie):
    add(client, "new1", ["Kids"])
    add(client, "new2", ["Art"])
    for user in world.users[:4]:
        rate(client, user, "new2", 5)
    scores = naive(client.rooms.current.take(), movie, by)
    answer = similar(client, movie, by=by)
    found = {line["movie_id"]: line["score"] for line in answer["movies"]}
    assert found == pytest.approx(scores, abs=2e-6)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_a_filter_brings_in_no_movie_without_a_vector(client):
    add(client, "bare")
    add(client, "new", ["Kids"])
    everything = 'not "Horror" in genres'
    answer = similar(client, "m01", filter=everything, by="dot")
    assert answer["movies"] == similar(client, "m01", by="dot")["movies"]
    assert "new" in ids(answer)
    assert "bare" not in ids(answer)
    assert similar(client, "bare")["movies"] == []


def test_where_nobody_knows_when_movies_were_rated_the_trend_is_the_count(client):
    serving = client.rooms.current.take()
    timeless = replace(serving, generation=replace(serving.generation, trend=None))
    rows = [orjson.loads(orjson.dumps(popular(timeless, 24, None, by))) for by in POPULAR]
    assert ids(rows[0]) == ids(rows[1])
    assert ids(rows[0]) != sorted(ids(rows[0]))
    assert {line["trend"] for line in rows[1]["movies"]} == {0.0}
