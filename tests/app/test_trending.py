"""What is popular of late: halved for every month that has passed, and new at once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.app.test_bad_input import assert_problem
from tests.app.test_recommendations import ids

PLANTED = 1_600_000_000
MONTH = 30 * 86_400


def popular(client, **params):
    response = client.get("/v1/movies/popular", params={"n": 500, **params})
    assert response.status_code == 200, response.text
    return response.json()


def rate(client, user, movie, seconds):
    when = datetime.fromtimestamp(seconds, UTC).isoformat()
    body = {"rating": 4, "rated_at": when}
    response = client.put(f"/v1/users/{user}/ratings/{movie}", json=body)
    assert response.status_code == 200, response.text


def test_ratings_of_one_day_count_alike(client):
    by_count, by_trend = popular(client), popular(client, by="trend")
    assert ids(by_trend) == ids(by_count)
    for line in by_trend["movies"]:
        assert line["trend"] == line["n_ratings"]
    assert "trend" not in by_count["movies"][0]


def test_the_next_request_knows_what_is_rated_now(client, world):
    last = ids(popular(client))[-1]
    counts = {line["movie_id"]: line["n_ratings"] for line in popular(client)["movies"]}
    for user in ("a", "b"):
        rate(client, user, last, PLANTED + 6 * MONTH)
    found = popular(client, by="trend")
    assert ids(found)[0] == last
    trends = {line["movie_id"]: line["trend"] for line in found["movies"]}
    for movie in world.movies:
        expected = counts[movie] / 64 + 2 * (movie == last)
        assert trends[movie] == pytest.approx(expected, abs=1e-6)
    assert ids(popular(client))[-1] == last  # by count it is as the model knows it


def test_what_was_rated_long_ago_hardly_counts(client):
    last = ids(popular(client))[-1]
    for number in range(50):
        rate(client, f"old{number}", last, PLANTED - 10 * MONTH)
    assert ids(popular(client, by="trend"))[0] != last


def test_a_training_takes_it_over(client, retrain):
    last = ids(popular(client))[-1]
    rate(client, "a", last, PLANTED + 5 * MONTH)
    before = popular(client, by="trend")
    retrain()
    client.look()
    assert len(client.rooms.current.take().fresh) == 0
    after = popular(client, by="trend")
    assert ids(after)[0] == last
    assert [line["trend"] for line in after["movies"]] == pytest.approx(
        [line["trend"] for line in before["movies"]], abs=1e-5
    )


def test_a_newcomer_may_be_what_everybody_watches(client):
    client.put("/v1/movies/new", json={"title": "New"})
    rate(client, "a", "new", PLANTED + 24 * MONTH)
    assert ids(popular(client, by="trend"))[0] == "new"


def test_filters_fields_and_bad_input(client):
    found = popular(client, by="trend", filter='"Kids" in genres', fields="trend")
    assert found["matched"] == 12
    assert {tuple(line) for line in found["movies"]} == {("movie_id", "trend")}
    path = "/v1/movies/popular"
    assert_problem(client.get(path, params={"by": "dot"}), 422, "query.by")
    assert_problem(client.get(path, params={"fields": "trend"}), 422, "query.fields")
    assert client.get("/v1/movies/popular", headers={"Min-Version": "0" * 19}).status_code == 200


def test_one_user_makes_no_trend_alone(client):
    last = ids(popular(client))[-1]
    for stars in range(40):
        rate(client, "a", last, PLANTED + stars)
    trends = {line["movie_id"]: line["trend"] for line in popular(client, by="trend")["movies"]}
    counts = {line["movie_id"]: line["n_ratings"] for line in popular(client)["movies"]}
    assert trends[last] == pytest.approx(counts[last] + 1, abs=1e-3)
    assert client.delete(f"/v1/users/a/ratings/{last}").status_code == 200
    trends = {line["movie_id"]: line["trend"] for line in popular(client, by="trend")["movies"]}
    assert trends[last] == pytest.approx(counts[last], abs=1e-3)
