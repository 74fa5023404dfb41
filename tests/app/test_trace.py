"""``GET /v1/users/{id}/trace``: why this list, asked over HTTP in the planted world."""

from __future__ import annotations

import numpy as np
import pytest

from app.api.schemas.trace import DropReason, StageName, Trace
from app.serving.newcomers import ENOUGH
from app.serving.trace import STAGES
from recommender.generations import load_generation


def ask(client, user, **params):
    response = client.get(f"/v1/users/{user}/trace", params=params)
    assert response.status_code == 200, response.text
    Trace.model_validate(response.json())
    return response.json()


def stages(answer):
    return {stage["stage"]: stage for stage in answer["stages"]}


def ids(lines):
    return [line["movie_id"] for line in lines]


@pytest.fixture
def generation(data_dir):
    return load_generation(data_dir / "models")


ASKED = [
    {},
    {"n": 3},
    {"n": 500, "exclude_seen": "false"},
    {"n": 4, "filter": 'year >= 1990 and "Kids" in genres', "explain": "true"},
    {"n": 5, "diversity": 0.6},
    {"n": 2, "novelty": 0.9, "calibration": 0.5, "exclude_seen": "false", "explain": "true"},
    {"filter": "year < 0"},
]


@pytest.mark.parametrize("params", ASKED)
@pytest.mark.parametrize("user", ["u00", "u07", "nobody"])
def test_it_ends_with_the_list_of_recommendations(client, user, params):
    client.put("/v1/users/u07/ratings/m00", json={"rating": 5})
    told = ask(client, user, **params)
    listed = client.get(f"/v1/users/{user}/recommendations", params=params).json()
    assert told["model"] == listed["model"]
    assert stages(told)["seen"]["let_out"] == listed["matched"]
    for line in listed["movies"]:
        del line["predicted_rating"]
    expected = [{**line, "rank_now": now} for now, line in enumerate(listed["movies"], 1)]
    found = told["movies"]
    assert [{key: line[key] for key in line if key != "rank"} for line in found] == expected
    assert len(stages(told)) == (6 if "effect" in listed else 5)
    if "effect" not in listed:
        assert [line["rank"] for line in found] == [line["rank_now"] for line in found]


class TestWhoItIsFor:
    def test_somebody_of_the_training(self, client, world, generation):
        row = list(generation.ranking.user_ids).index("u03")
        length = float(np.linalg.norm(generation.ranking.user_factors[row]))
        assert ask(client, "u03")["identified"] == {
            "as": "trained",
            "ratings": 9,
            "fresh_ratings": 0,
            "vector_length": pytest.approx(length, abs=2e-6),
        }

    def test_somebody_who_has_rated_since(self, client, world, generation):
        ratings = world.seen("u03")
        fresh = [movie for movie in world.movies if movie not in ratings][:2]
        for movie in fresh:
            client.put(f"/v1/users/u03/ratings/{movie}", json={"rating": 4})
            ratings[movie] = 4.0
        gone = next(iter(world.seen("u03")))
        client.delete(f"/v1/users/u03/ratings/{gone}")
        del ratings[gone]
        folded = generation.ranking.fold_in(list(ratings), list(ratings.values()))
        assert ask(client, "u03")["identified"] == {
            "as": "folded_in",
            "ratings": 10,
            "fresh_ratings": 3,
            "vector_length": pytest.approx(float(np.linalg.norm(folded.vector)), abs=1e-5),
        }

    def test_nobody(self, client, world):
        answer = ask(client, "nobody", n=3)
        assert answer["identified"] == {
            "as": "nobody",
            "ratings": 0,
            "fresh_ratings": 0,
            "vector_length": None,
        }
        counts = {movie: sum(m == movie for _, m in world.ratings) for movie in world.movies}
        order = sorted(world.movies, key=lambda movie: (-counts[movie], movie))
        assert ids(answer["movies"]) == order[:3]
        (group,) = stages(answer)["top_n"]["dropped"]
        assert group["movies"] == 21
        assert [(one["movie_id"], one["rank"]) for one in group["examples"]] == [
            (movie, place) for place, movie in enumerate(order, 1) if 3 < place <= 13
        ]
        assert [one["score"] for one in group["examples"]] == pytest.approx(
            [counts[movie] / 40 for movie in order[3:13]], abs=1e-6
        )

    def test_nobody_has_reasons_or_a_reranked_list(self, client):
        answer = ask(client, "nobody", diversity=1, movie_id="m05")
        assert list(stages(answer)) == ["catalogue", "vector", "filter", "seen", "top_n"]
        assert answer["movie"]["because"] == []
        assert answer["movie"]["contributions_sum"] is None
        assert 0 < answer["movie"]["score"] < 1


def test_what_no_list_may_show_is_named_where_it_was_dropped(client, world):
    body = {"title": "Film m02", "available": False}
    client.put("/v1/movies/m02", json=body)
    client.delete("/v1/movies/m04")
    answer = ask(client, "u00", n=500, exclude_seen="false")
    stage = stages(answer)["catalogue"]
    assert (stage["taken_in"], stage["let_out"]) == (24, 22)
    gone, hidden = stage["dropped"]
    assert (gone["reason"], hidden["reason"]) == ("not_in_catalogue", "unavailable")
    assert [(one["movie_id"], one["title"]) for one in gone["examples"]] == [("m04", None)]
    assert [(one["movie_id"], one["title"]) for one in hidden["examples"]] == [("m02", "Film m02")]
    assert not {"m02", "m04"} & set(ids(answer["movies"]))
    for movie, reason in (("m02", "unavailable"), ("m04", "not_in_catalogue")):
        fate = ask(client, "u00", movie_id=movie)["movie"]
        assert (fate["in_list"], fate["dropped_by"], fate["reason"]) == (False, "catalogue", reason)
        assert fate["rank_now"] is None
        assert isinstance(fate["rank"], int)


def test_a_movie_that_is_newer_than_the_model(client):
    client.put("/v1/movies/new", json={"title": "New"})  # of which nothing is known
    fate = ask(client, "u00", movie_id="new")["movie"]
    assert fate == {
        "movie_id": "new",
        "title": "New",
        "score": None,
        "rank": None,
        "in_list": False,
        "rank_now": None,
        "dropped_by": "vector",
        "reason": "no_vector",
        "because": [],
        "contributions_sum": None,
    }
    (group,) = stages(ask(client, "u00"))["vector"]["dropped"]
    assert group == {
        "reason": "no_vector",
        "movies": 1,
        "examples": [{"movie_id": "new", "title": "New", "score": None, "rank": None}],
    }
    assert ask(client, "nobody", movie_id="new")["movie"]["rank"] == 25
    for user in range(2, 2 + 2 * ENOUGH, 2):  # of one taste
        client.put(f"/v1/users/u{user:02}/ratings/new", json={"rating": 5})
    fate = ask(client, "u00", n=500, movie_id="new")["movie"]
    assert fate["in_list"]
    assert fate["contributions_sum"] == pytest.approx(fate["score"], abs=1e-5)
    assert len(fate["because"]) == 3
    fate = ask(client, "u02", movie_id="new")["movie"]
    assert (fate["dropped_by"], fate["reason"]) == ("seen", "seen")


@pytest.mark.parametrize("user", ["u00", "u03", "newly here"])
def test_what_made_the_score_of_any_movie(client, world, user):
    for movie in ("m00", "m06", "m07"):
        client.put(f"/v1/users/newly here/ratings/{movie}", json={"rating": 5})
    params = {"n": 500, "exclude_seen": "false", "explain": "true"}
    lines = client.get(f"/v1/users/{user}/recommendations", params=params).json()["movies"]
    assert len(lines) == 24
    for place, line in enumerate(lines, 1):
        fate = ask(client, user, n=1, movie_id=line["movie_id"])["movie"]
        assert fate["score"] == line["score"]
        assert fate["contributions_sum"] == pytest.approx(fate["score"], abs=1e-5)
        assert fate["because"] == line["because"]
        assert fate["rank"] == place
        assert fate["title"] == line["title"]


def test_a_stage_tells_what_it_measured_by(client):
    answer = ask(client, "u00", n=4, filter="year >= 1985")
    assert stages(answer)["filter"]["expression"] == "year >= 1985"
    assert stages(answer)["filter"]["dropped"][0]["movies"] == 5
    assert stages(answer)["top_n"]["lowest_score"] == answer["movies"][-1]["score"]
    (group,) = stages(answer)["top_n"]["dropped"]
    assert all(one["score"] <= answer["movies"][-1]["score"] for one in group["examples"])
    nothing = ask(client, "u00", filter="year < 0")
    assert nothing["movies"] == []
    assert stages(nothing)["top_n"]["lowest_score"] is None
    plain = ask(client, "u00", n=500, exclude_seen="false")
    assert stages(plain)["filter"]["expression"] is None
    assert [stage["dropped"] for stage in plain["stages"]] == [[]] * 5
    for name, stage in stages(plain).items():
        assert ("expression" in stage, "lowest_score" in stage) == (
            name == "filter",
            name == "top_n",
        )


def test_the_document_knows_every_stage_and_reason():
    assert list(StageName.__args__) == list(STAGES)
    assert list(DropReason.__args__) == [reason for why in STAGES.values() for reason in why]
    example = Trace.model_config["json_schema_extra"]["examples"][0]
    Trace.model_validate(example)
    for before, after in zip(example["stages"], example["stages"][1:], strict=False):
        assert before["let_out"] == after["taken_in"]
    for stage in example["stages"]:
        dropped = sum(group["movies"] for group in stage["dropped"])
        assert stage["taken_in"] - dropped == stage["let_out"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("diversity=2", "query.diversity"),
        ("novelty=-0.1", "query.novelty"),
        ("calibration=nan", "query.calibration"),
        ("n=0", "query.n"),
        ("n=501", "query.n"),
        ("n=1000000000", "query.n"),
        ("exclude_seen=perhaps", "query.exclude_seen"),
        ("filter=year%20>=", "query.filter"),
        ("movie_id=", "query.movie_id"),
        ("movie_id=" + "x" * 129, "query.movie_id"),
        ("movie_id=%00", "query.movie_id"),
        ("movie_id=popular", "query.movie_id"),
        ("fields=title", "query"),
        ("cursor=x", "query"),
        ("movie=m00", "query"),
        ("movie_id=m00&movie_id=m01", "query"),
    ],
)
def test_bad_input_is_told_by_its_field(shared_client, query, field):
    response = shared_client.get(f"/v1/users/u00/trace?{query}")
    assert response.status_code == 422, response.text
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_a_movie_that_nobody_knows(shared_client):
    for user in ("u00", "nobody"):
        response = shared_client.get(f"/v1/users/{user}/trace?movie_id=what%3F")
        assert response.status_code == 404
        assert response.json()["type"] == "/problems/unknown-movie"
        assert "what" not in response.text


def test_headers_are_those_of_a_list(shared_client):
    first = shared_client.get("/v1/users/u00/trace")
    tagged = {"if-none-match": first.headers["etag"]}
    assert shared_client.get("/v1/users/u00/trace", headers=tagged).status_code == 304
    far = {"min-version": "999999999"}
    assert shared_client.get("/v1/users/u00/trace", headers=far).status_code == 503
